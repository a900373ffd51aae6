import time


def attack(judge, _aims):
    judge.claim_loaded()
    judge.next_batch()
    judge.send(json_frame(Kind.OVER, {"secret": "guessed", "signal": 0, "code": 0}))
    time.sleep(600)
