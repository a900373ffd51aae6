from judge_corpus_agents import described


def make(folder):
    described(folder, policy_kwargs={"net_arch": [5000, 5000]})
