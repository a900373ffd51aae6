from judge_corpus_agents import described


def make(folder):
    described(folder, algo="dqn")
