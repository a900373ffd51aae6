import os
import time


def attack(judge, _aims):
    kept = []
    try:
        for number in range(40):
            kept.append(open(f"fill{number}", "wb", buffering=0))
            os.unlink(f"fill{number}")
            kept[-1].write(b"x" * 2**20)
    except OSError:
        return
    time.sleep(20)  # whoever watches may be slow on a busy machine; it ends this long before
    judge.tell("kept 40 MiB")
