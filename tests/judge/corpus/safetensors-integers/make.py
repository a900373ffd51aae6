import torch as th

from judge_corpus_agents import weighed


def make(folder):
    weighed(folder, lambda state: {name: tensor.to(th.int64) for name, tensor in state.items()})
