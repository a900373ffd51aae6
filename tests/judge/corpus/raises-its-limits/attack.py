import contextlib
import os
import resource


def attack(judge, _aims):
    found = []
    for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_NOFILE"):
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (hard + 1, hard + 1))
            found.append(name)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -20)
        found.append("priority")
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        found.append("scheduler")
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)
    with contextlib.suppress(OSError, ValueError):
        resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))
    if found:
        judge.tell(found)
