from judge_corpus_agents import genuine
from units.agents import hostile


def make(folder):
    hostile.patched(genuine(folder), hostile.encrypted)
