from judge_corpus_agents import honest_zip


def make(folder):
    honest_zip(folder, "one.zip")
    honest_zip(folder, "two.zip")
