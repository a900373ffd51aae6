from judge_corpus_agents import genuine
from units.agents.hostile import kwargs_of


def make(folder):
    genuine(folder).rebuilt(data=kwargs_of(net_arch=[10**9]))
