from judge_corpus_agents import honest_files


def make(folder):
    honest_files(folder)
    (folder / "agent.json").write_text(" " * 1_000_000 + "{}")
