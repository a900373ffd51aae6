import pickle

from judge_corpus_agents import genuine, payload
from units.agents.hostile import policy_member


def make(folder):
    genuine(folder).rebuilt(members=policy_member(lambda _: pickle.dumps(payload())))
