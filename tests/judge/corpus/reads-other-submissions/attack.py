import contextlib
import glob
import os
import sys


def attack(judge, aims):
    places = [aims["temporary"], "/tmp", "/scratch", *(f"/proc/{n}/cwd" for n in (aims["neighbour"], os.getppid(), 1))]
    places += [f"/proc/{aims['neighbour']}/root{place}" for place in (aims["temporary"], "/tmp", "/scratch")]
    paths = [path for place in places for depth in ("*", "*/*", "*/*/*") for path in glob.glob(f"{place}/{depth}")]
    found = []
    # A clone below /tmp shows its own modules there, which are no secret.
    for path in [path for path in paths if os.path.dirname(path) not in sys.path]:
        with contextlib.suppress(OSError), open(path, "rb") as file:
            found.append((path, file.read(1000)))
    descriptors = f"/proc/{aims['neighbour']}/fd"
    with contextlib.suppress(OSError):
        found += [(name, os.readlink(f"{descriptors}/{name}")) for name in os.listdir(descriptors)]
    if found:
        judge.tell(found)
