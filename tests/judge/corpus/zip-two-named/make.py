from judge_corpus_agents import honest_zip


def make(folder):
    honest_zip(folder, "ppo-CartPole-v1.zip")
    honest_zip(folder, "dqn-CartPole-v1.zip", "dqn")
