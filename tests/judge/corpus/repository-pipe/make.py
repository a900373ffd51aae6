import os


def make(folder):
    os.mkfifo(folder / "agent.zip")
