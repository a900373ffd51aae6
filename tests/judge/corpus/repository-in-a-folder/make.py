from judge_corpus_agents import honest_zip


def make(folder):
    (folder / "inner").mkdir()
    honest_zip(folder, "inner/agent.zip")
