from judge_corpus_agents import described


def make(folder):
    described(folder, env_id="FrozenLake-v1")
