from judge_corpus_agents import described


def make(folder):
    described(folder, policy_kwargs={"net_arch": [8], "log_std_init": 1_000_000})
