import time


def attack(_judge, _aims):
    time.sleep(600)
