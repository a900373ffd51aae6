import ctypes
import os

_CLONE, _FORK, _VFORK, _CLONE3 = 56, 57, 58, 435  # x86-64


def attack(judge, _aims):
    children = 0
    for _ in range(400):
        try:
            child = os.fork()
        except OSError:
            break
        if child == 0:
            os.read(judge.pipe.reading, 1)
            os._exit(0)
        children += 1
    if os.uname().machine == "x86_64":
        library = ctypes.CDLL(None)
        for number in (_FORK, _CLONE, _CLONE3):
            child = library.syscall(ctypes.c_long(number), 17 if number == _CLONE else 0, 0, 0, 0, 0)
            if child == 0:
                os._exit(0)
            children += child > 0
    if children:
        judge.tell(f"started {children} processes")
