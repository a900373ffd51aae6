from judge_corpus_agents import described


def make(folder):
    described(folder, policy="CnnPolicy", policy_kwargs={"net_arch": [8]})
