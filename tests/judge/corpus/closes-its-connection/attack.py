import os
import time


def attack(judge, _aims):
    judge.claim_loaded()
    judge.next_batch()
    os.close(judge.pipe.writing)
    time.sleep(600)
