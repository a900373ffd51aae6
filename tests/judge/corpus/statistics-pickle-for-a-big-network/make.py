from judge_corpus_agents import normalized


def make(folder):
    normalized(folder, b"garbage")
