import torch as th

from judge_corpus_agents import weighed


def make(folder):
    weighed(folder, lambda state: {name: th.full_like(tensor, 1e-42) for name, tensor in state.items()})
