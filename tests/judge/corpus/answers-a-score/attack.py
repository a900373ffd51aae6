def attack(judge, _aims):
    judge.claim_loaded()
    judge.next_batch()
    judge.send(json_frame(Kind.LOADED, {"score": 500.0, "returns": [500.0] * 50}))
