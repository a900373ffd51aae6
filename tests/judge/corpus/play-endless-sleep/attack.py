import time


def attack(judge, _aims):
    judge.claim_loaded()
    judge.next_batch()
    time.sleep(600)
