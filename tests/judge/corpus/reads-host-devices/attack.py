import contextlib
import os


def attack(judge, _aims):
    found = []
    with contextlib.suppress(OSError):
        os.mknod("disk", 0o60666, os.makedev(8, 0))
    for path in ("disk", "/dev/mem", "/dev/kmem", "/dev/sda", "/dev/vda", "/dev/kmsg", "/proc/kcore", "/proc/kallsyms"):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            if path != "/proc/kallsyms" or os.read(descriptor, 16).strip(b"0"):
                found.append(path)
    with contextlib.suppress(OSError), open("/proc/sysrq-trigger", "w"):
        found.append("sysrq")
    if found:
        judge.tell(found)
