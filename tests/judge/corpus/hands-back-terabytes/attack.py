def attack(judge, _aims):
    judge.send(json_frame(Kind.LOADED, {"algo": "ppo", "sha256": "", "files": [["agent.safetensors", 1 << 40]]}))
