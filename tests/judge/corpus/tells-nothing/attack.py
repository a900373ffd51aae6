import os


def attack(judge, _aims):
    judge.send(json_frame(Kind.FAILED, {"reason": "refused", "sentence": None}))
    os._exit(0)
