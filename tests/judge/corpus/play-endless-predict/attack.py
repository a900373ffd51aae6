def attack(judge, _aims):
    judge.claim_loaded()
    judge.next_batch()
    while True:
        pass
