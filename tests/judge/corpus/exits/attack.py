import os


def attack(judge, _aims):
    judge.claim_loaded()
    judge.next_batch()
    os._exit(0)
