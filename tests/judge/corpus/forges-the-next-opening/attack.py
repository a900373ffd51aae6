def attack(judge, _aims):
    judge.claim_loaded()
    judge.next_batch()
    judge.send(json_frame(Kind.READY, {"versions": {}}))
    judge.send(json_frame(Kind.BORN, {"nonce": judge.opening["nonce"], "commitment": "0" * 64}))
