from judge_corpus_agents import overwhelming, weighed


def make(folder):
    weighed(folder, overwhelming)
