import contextlib
import ctypes
import os


def attack(judge, _aims):
    library = ctypes.CDLL(None)
    found = []
    for name, *arguments in (
        ("unshare", 0x10000000),
        ("unshare", 0x00020000),
        ("setns", 0, 0),
        ("mount", b"none", b".", b"tmpfs", 0, None),
        ("umount2", b"/", 2),
        ("chroot", b"."),
        ("pivot_root", b".", b"."),
        ("setuid", 0),
        ("setresuid", 0, 0, 0),
        ("personality", 0x0040000),
    ):
        call = getattr(library, name, None)
        if call is not None and name != "personality" and call(*arguments) == 0:
            found.append(name)
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc/1/ns"):
            os.close(os.open(f"/proc/1/ns/{name}", os.O_RDONLY))
            found.append(name)
    if found:
        judge.tell(found)
