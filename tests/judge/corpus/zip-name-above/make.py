from judge_corpus_agents import genuine
from units.agents import hostile


def make(folder):
    hostile.extra_members(genuine(folder), ("../../agent.json", b"{}"))
