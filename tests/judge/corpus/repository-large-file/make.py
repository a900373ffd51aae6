import os


def make(folder):
    (folder / "agent.zip").touch()
    os.truncate(folder / "agent.zip", 100 * 2**20)
