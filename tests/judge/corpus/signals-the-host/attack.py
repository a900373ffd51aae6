import contextlib
import os
import signal


def attack(judge, aims):
    found = []
    with contextlib.suppress(OSError):
        os.kill(aims["process"], signal.SIGTERM)
    for number in (aims["judge"], aims["neighbour"], -1):
        with contextlib.suppress(OSError):
            os.kill(number, 0)
            found.append(number)
    if found:
        judge.tell(f"may send signals to {found}")
