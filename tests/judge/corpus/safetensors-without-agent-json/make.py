from judge_corpus_agents import honest_files


def make(folder):
    honest_files(folder)
    (folder / "agent.json").unlink()
