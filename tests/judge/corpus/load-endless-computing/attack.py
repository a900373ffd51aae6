def attack(_judge, _aims):
    while True:
        pass
