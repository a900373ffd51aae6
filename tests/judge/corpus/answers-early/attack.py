def attack(judge, _aims):
    judge.claim_loaded()
    for _ in range(100):
        judge.answer(bytes(24))
