import contextlib
import os
import time


def attack(_judge, _aims):
    with contextlib.suppress(OSError):
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)
            os._exit(0)
