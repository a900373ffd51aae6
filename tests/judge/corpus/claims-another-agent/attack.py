def attack(judge, _aims):
    judge.claim_loaded(algo="<b>alphazero</b>", sha256="../../etc/passwd")
