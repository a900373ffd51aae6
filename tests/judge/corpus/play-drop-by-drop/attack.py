import os
import time


def attack(judge, _aims):
    judge.claim_loaded()
    os.write(judge.pipe.writing, (8 * judge.next_batch() + 1).to_bytes(4, "big") + b"\x69")
    while True:
        os.write(judge.pipe.writing, b"\0")
        time.sleep(0.2)
