from judge_corpus_agents import genuine
from units.agents.hostile import overlapping, policy_member


def make(folder):
    genuine(folder).rebuilt(members=policy_member(overlapping))
