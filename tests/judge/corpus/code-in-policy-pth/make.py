from judge_corpus_agents import genuine, payload


def make(folder):
    genuine(folder).rebuilt(weights=lambda state: {**state, "x": payload()})
