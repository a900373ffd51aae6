import contextlib
import os
import subprocess
import sys


def attack(judge, _aims):
    with contextlib.suppress(OSError):
        os.chmod("program", 0o755)
    with contextlib.suppress(OSError):
        judge.tell(subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True).stdout)
    if os.system("exit 7") == 7 << 8:
        judge.tell("a shell ran")
    for path in (sys.executable, "/bin/sh"):
        with contextlib.suppress(OSError):
            os.execv(path, [path, "-c", ":"])
    with contextlib.suppress(OSError):
        memory = os.memfd_create("program")
        os.write(memory, b"#!/bin/sh")
        os.execve(memory, ["program"], {})
