from judge_corpus_agents import normalized


def make(folder):
    normalized(folder, b"\x80\x02}K\x01" + b"2\x86" * 60 + b"Ns.")
