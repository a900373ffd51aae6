from judge_corpus_agents import genuine, honest_files, payload


def make(folder):
    honest_files(folder)
    genuine(folder).rebuilt(weights=lambda state: {**state, "x": payload()})
