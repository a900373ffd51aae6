import torch as th

from judge_corpus_agents import genuine


def make(folder):
    genuine(folder).rebuilt(weights=lambda _: dict.fromkeys(map(str, range(10_000)), th.zeros(1)))
