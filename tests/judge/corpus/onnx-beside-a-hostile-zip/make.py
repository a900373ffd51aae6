from judge_corpus_agents import genuine, graph, payload


def make(folder):
    graph(folder)
    genuine(folder).rebuilt(weights=lambda state: {**state, "x": payload()})
