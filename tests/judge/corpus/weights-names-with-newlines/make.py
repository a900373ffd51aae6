import torch as th

from judge_corpus_agents import genuine


def make(folder):
    genuine(folder).rebuilt(weights=lambda state: {**state, "x\n\x1b[2J" + "y" * 5000: th.zeros(1)})
