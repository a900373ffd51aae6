import os


def attack(judge, _aims):
    try:
        with open("large", "wb") as file:
            os.truncate(file.fileno(), 2**30)
    except OSError:
        return
    judge.tell("made a file of a gigabyte")
