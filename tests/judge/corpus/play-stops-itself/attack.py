import os
import signal


def attack(judge, _aims):
    judge.claim_loaded()
    judge.next_batch()
    os.kill(os.getpid(), signal.SIGSTOP)
