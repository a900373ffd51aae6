import contextlib
import os
import sys


def attack(_judge, aims):
    places = [
        "/",
        "/tmp",
        "/var/tmp",
        "/dev/shm",
        "/etc",
        aims["folder"],
        aims["temporary"],
        *sys.path,
        os.path.dirname(os.__file__),
    ]
    for place in places:
        with contextlib.suppress(OSError), open(f"{place}/{aims['mark']}", "w") as file:
            file.write("here")
    victim = f"{aims['folder']}/victim"
    for change in (lambda: os.truncate(victim, 0), lambda: os.unlink(victim), lambda: os.chmod(victim, 0)):
        with contextlib.suppress(OSError):
            change()
    with contextlib.suppress(OSError):
        os.symlink(victim, "agent.log")
        with open("agent.log", "w") as file:
            file.write("here")
