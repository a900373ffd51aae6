from judge_corpus_agents import honest_zip


def make(folder):
    honest_zip(folder)
    (folder / "a\x1b[2J\nb.zip").write_bytes(b"x")
