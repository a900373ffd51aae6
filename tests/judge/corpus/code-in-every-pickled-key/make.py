from judge_corpus_agents import genuine
from units.agents import hostile


def make(folder):
    agent = genuine(folder)

    def change(data):
        for key in hostile.pickled_keys(agent.zip):
            data = hostile.payload_in(key, agent.marker)(data)
        return data

    agent.rebuilt(data=change)
