from judge_corpus_agents import genuine, marker
from units.agents import hostile


def make(folder):
    genuine(folder).rebuilt(data=hostile.payload_in("_last_obs", marker()))
