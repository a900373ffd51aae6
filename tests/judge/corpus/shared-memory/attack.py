import ctypes
import os


def attack(judge, _aims):
    library = ctypes.CDLL(None)
    found = []
    if library.shmget(0x5EED, 4096, 0o1666) >= 0:
        found.append("shmget")
    if library.msgget(0x5EED, 0o1666) >= 0:
        found.append("msgget")
    if library.semget(0x5EED, 1, 0o1666) >= 0:
        found.append("semget")
    if os.path.exists("/dev/shm") and os.access("/dev/shm", os.W_OK):
        try:
            with open("/dev/shm/rl-corpus", "w"):
                found.append("shm_open")
        except OSError:
            pass
    if found:
        judge.tell(found)
