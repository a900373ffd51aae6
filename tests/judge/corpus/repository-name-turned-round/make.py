from judge_corpus_agents import honest_zip


def make(folder):
    honest_zip(folder, "agent\u202egpj.zip")
