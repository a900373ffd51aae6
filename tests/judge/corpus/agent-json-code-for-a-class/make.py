from judge_corpus_agents import described


def make(folder):
    described(folder, policy_kwargs={"optimizer_class": "os.system", "features_extractor_class": "mine.Mine"})
