def attack(judge, _aims):
    judge.send(frame(Kind.LOADED, b'{"files": [["agent.json", ' + b"9" * 10_000 + b"]]}"))
