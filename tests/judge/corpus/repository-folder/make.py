def make(folder):
    (folder / "agent.zip").mkdir()
