import contextlib
import ctypes
import os


def attack(judge, aims):
    library = ctypes.CDLL(None)
    found = []
    for number in (os.getppid(), 1, aims["judge"], aims["neighbour"]):
        if library.ptrace(0x4206, number, None, None) == 0:
            found.append(f"traces {number}")
        empty = (ctypes.c_size_t * 2)(0, 0)
        if library.process_vm_readv(number, empty, 1, empty, 1, 0) == 0:
            found.append(f"reads {number}")
        for name in ("mem", "maps", "fd/0"):
            with contextlib.suppress(OSError):
                os.close(os.open(f"/proc/{number}/{name}", os.O_RDONLY))
                found.append(f"opens {name} of {number}")
    if found:
        judge.tell(found)
