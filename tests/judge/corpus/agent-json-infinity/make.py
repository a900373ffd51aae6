from judge_corpus_agents import honest_files


def make(folder):
    honest_files(folder)
    path = folder / "agent.json"
    path.write_text(path.read_text().replace('"policy_kwargs": {', '"policy_kwargs": {"log_std_init": 1e999,'))
