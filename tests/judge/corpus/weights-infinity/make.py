from judge_corpus_agents import genuine
from units.agents.hostile import holding, with_first


def make(folder):
    genuine(folder).rebuilt(weights=with_first(holding(float("inf"))))
