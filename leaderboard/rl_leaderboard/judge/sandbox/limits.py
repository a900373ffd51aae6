"""How much one sandbox may use."""

import os
import resource
from dataclasses import dataclass
from pathlib import Path

_THREADS_FIELD = 17  # of what follows the name in /proc/<pid>/stat (proc(5): num_threads is field 20)
_RESIDENT_FIELD = 21  # rss is field 24

# RLIMIT_NPROC counts all tasks of a user, and sandboxes may share one. It is the brake behind the watch, which counts
# each sandbox's own tasks; with less room, a hostile neighbour could keep an honest agent from starting its threads.
_ROOM_FOR_NEIGHBOURS = 8


@dataclass(frozen=True)
class Limits:
    """What one sandbox may use. It is one process with threads, so that these bound all of it.

    Attributes:
        memory_bytes: Address space, and what is resident of the whole tree of processes.
        cpu_seconds: Time on processors, of all threads together.
        file_bytes: The largest file.
        processes: Tasks; processes cannot be started, so they are threads.
        open_files: File descriptors.
        scratch_bytes: All files in the scratch folder together.
        scratch_files: Their number.
    """

    memory_bytes: int = 4 * 2**30
    cpu_seconds: int = 600
    file_bytes: int = 64 * 2**20
    processes: int = 64
    open_files: int = 256
    scratch_bytes: int = 256 * 2**20
    scratch_files: int = 1000


def rlimits(limits: Limits, uid: int) -> list[tuple[int, int]]:
    """What is set with setrlimit(2), soft and hard alike, as pairs of a resource and its limit.

    Args:
        limits: The limits of the sandbox.
        uid: Who runs it.
    """
    return [
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_NPROC, tasks_of(uid) + _ROOM_FOR_NEIGHBOURS * limits.processes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_NICE, 0),
        (resource.RLIMIT_RTPRIO, 0),
    ]


def tasks_of(uid: int) -> int:
    """How many tasks (threads of all processes) a user has now."""
    count = 0
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            if entry.stat().st_uid == uid:
                count += usage_of(int(entry.name))[0]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
    return count


def usage_of(pid: int) -> tuple[int, int]:
    """Tasks and resident bytes of a process.

    Raises:
        FileNotFoundError, ProcessLookupError: It has ended.
    """
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()  # a name may contain anything
    return int(fields[_THREADS_FIELD]), int(fields[_RESIDENT_FIELD]) * resource.getpagesize()
