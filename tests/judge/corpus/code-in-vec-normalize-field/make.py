from judge_corpus_agents import normalized, payload
from units.agents.hostile import statistics_pickle


def make(folder):
    normalized(folder, statistics_pickle(shape=(4,), x=payload()))
