from judge_corpus_agents import normalized


def make(folder):
    normalized(folder, b"\x80\x02Nr\xff\xff\xff\x7f.")
