import os


def attack(judge, _aims):
    judge.claim_loaded()
    judge.next_batch()
    os.write(judge.pipe.writing, b"\xff\xff\xff\xff\x69")
