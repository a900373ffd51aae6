import time


def attack(judge, _aims):
    try:
        for number in range(40):
            with open(f"fill{number}", "wb") as file:
                file.write(b"x" * 2**20)
    except OSError:
        return
    time.sleep(20)  # whoever watches may be slow on a busy machine; it ends this long before
    judge.tell("kept 40 MiB")
