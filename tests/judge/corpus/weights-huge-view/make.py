import torch as th

from judge_corpus_agents import genuine
from units.agents.hostile import with_first


def make(folder):
    genuine(folder).rebuilt(weights=with_first(lambda _: th.zeros(1).expand(10**6, 10**6)))
