from judge_corpus_agents import genuine
from units.agents import hostile


def make(folder):
    hostile.extra_members(genuine(folder), ("../x\n\x1b[2JINFO scored 500\r\n" + "y" * 3000, b""))
