from judge_corpus_agents import genuine
from units.agents import hostile


def make(folder):
    hostile.extra_members(genuine(folder), *((f"more{number}", b"") for number in range(10_000)))
