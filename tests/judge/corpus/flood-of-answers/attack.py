import os


def attack(judge, _aims):
    judge.claim_loaded()
    while True:
        os.write(judge.pipe.writing, b"x" * 65536)
