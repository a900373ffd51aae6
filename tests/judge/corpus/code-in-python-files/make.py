from judge_corpus_agents import honest_zip, marker


def make(folder):
    honest_zip(folder)
    for name in ("torch", "numpy", "sitecustomize", "rl_units", "json"):
        (folder / f"{name}.py").write_text(f"import os; os.mkdir({str(marker())!r})")
