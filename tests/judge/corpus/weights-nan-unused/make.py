from judge_corpus_agents import weighed
from units.agents.hostile import holding


def make(folder):
    weighed(folder, lambda state: {**state, "value_net.bias": holding(float("nan"))(state["value_net.bias"])})
