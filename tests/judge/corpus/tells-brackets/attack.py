def attack(judge, _aims):
    judge.send(frame(Kind.FAILED, b"[" * 60_000))
