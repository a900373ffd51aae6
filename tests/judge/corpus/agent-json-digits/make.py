from judge_corpus_agents import honest_files


def make(folder):
    honest_files(folder)
    (folder / "agent.json").write_text(
        (folder / "agent.json").read_text().replace('"format_version": 1', f'"format_version": {"9" * 90_000}')
    )
