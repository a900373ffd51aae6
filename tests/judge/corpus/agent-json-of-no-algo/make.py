from judge_corpus_agents import described


def make(folder):
    described(folder, algo="ppo\n\x1b[2J" + "x" * 5000)
