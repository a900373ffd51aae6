def make(folder):
    (folder / "agent.json").write_text('{"algo":' + "[" * 90_000)
