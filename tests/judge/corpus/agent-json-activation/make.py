from judge_corpus_agents import described


def make(folder):
    described(folder, policy_kwargs={"activation_fn": "__import__"})
