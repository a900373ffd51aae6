import os


def make(folder):
    (folder / "agent.zip").touch()
    os.truncate(folder / "agent.zip", 600 * 2**20)
