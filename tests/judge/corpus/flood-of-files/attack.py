import os


def attack(_judge, _aims):
    try:
        for number in range(20_000):
            os.close(os.open(f"file{number}", os.O_CREAT))
    except OSError:
        pass
