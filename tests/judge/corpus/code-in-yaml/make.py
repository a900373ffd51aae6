from judge_corpus_agents import honest_zip, marker


def make(folder):
    honest_zip(folder)
    for name in ("config.yml", "args.yml"):
        (folder / name).write_text(f"!!python/object/apply:os.mkdir ['{marker()}']")
