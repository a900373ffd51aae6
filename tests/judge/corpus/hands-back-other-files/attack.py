def attack(judge, _aims):
    judge.send(json_frame(Kind.LOADED, {"algo": "ppo", "sha256": "0" * 64, "files": [["../../vec_normalize.pkl", 3]]}))
    judge.send(frame(Kind.CONVERTED, b"N0."))
