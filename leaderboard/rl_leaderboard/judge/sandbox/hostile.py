"""What a hostile agent would try, for the self-test of a sandbox: each line of its table is one function here.

Runs inside. It prints a line before and after each attempt; the outside judges by its own evidence where there is any.
Nothing here harms a host that stops none of it: children and threads wait and end, files lie in the scratch folder.
"""

import contextlib
import ctypes
import json
import os
import platform
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl_leaderboard.judge.sandbox import floods
from rl_leaderboard.judge.sandbox.tiers import Attempt

READY = "ready"
_CLONE_NEWUSER = 0x10000000  # linux/sched.h
_PTRACE_SEIZE, _PTRACE_DETACH = 0x4206, 17  # linux/ptrace.h
_CLONE = {"x86_64": 56, "aarch64": 220}


@dataclass(frozen=True)
class Targets:
    """What to attack; written as JSON.

    Attributes:
        secret: A file.
        folder: A folder in which everybody may write, with a file `victim` that everybody may change.
        word: What is found only in the secret, and in the environment and the command line of the process.
        process: A process.
        tcp, udp: Ports on 127.0.0.1.
        unix: The path of a socket.
        abstract: The name of a socket that has no path.
        processes, memory_bytes, scratch_bytes, cpu_seconds: The limits to exceed.
    """

    secret: str
    folder: str
    word: str
    process: int
    tcp: int
    udp: int
    unix: str
    abstract: str
    processes: int
    memory_bytes: int
    scratch_bytes: int
    cpu_seconds: int


def main(attempts: str, targets: str) -> None:
    """Make the attempts, in order."""
    aims = Targets(**json.loads(targets))
    Path(tempfile.gettempdir(), "needed").write_bytes(b"scratch")  # an agent needs this much
    _tell(READY)
    for name in json.loads(attempts):
        _tell("begin", name)
        try:
            through = bool(_ATTEMPTS[Attempt(name)](aims))
        except (OSError, MemoryError, RuntimeError):
            through = False
        _tell("end", name, through)


def _tell(*words: Any) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _processes() -> Iterator[Path]:
    """Those of the table if it can be read, else some that are sure to exist, and those that could be guessed."""
    try:
        numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    except OSError:
        numbers = [1, os.getppid(), *range(2, 3000)]
    yield from (Path(f"/proc/{number}") for number in numbers if number != os.getpid())


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def _read_secret(aims: Targets) -> bool:
    paths = [Path(aims.secret), *(Path(f"/proc/{number}/root{aims.secret}") for number in (1, aims.process))]
    link, hard = Path("link"), Path("hard")
    with contextlib.suppress(OSError):
        link.symlink_to(aims.secret)
    with contextlib.suppress(OSError):
        hard.hardlink_to(aims.secret)
    return any(aims.word in _read(path) for path in [*paths, link, hard])


def _read_environment(aims: Targets) -> bool:
    table = [*_processes(), Path(f"/proc/{aims.process}"), Path("/proc/1"), Path(f"/proc/{os.getppid()}")]
    found = [_read(process / "environ") for process in table]
    return any(aims.word in text for text in found) or any("=" in text for text in found[-2:])


def _write_outside(aims: Targets) -> bool:
    folders = [aims.folder, "/tmp", "/var/tmp", "/dev/shm", "/", str(Path(__file__).parent)]  # noqa: S108 — tried, not used
    for folder in folders:
        with contextlib.suppress(OSError):
            (Path(folder) / aims.word).touch()
    victim = Path(aims.folder) / "victim"
    for change in (lambda: os.truncate(victim, 0), lambda: victim.chmod(0), lambda: victim.open("r+").write("x")):
        with contextlib.suppress(OSError):
            change()
    with contextlib.suppress(OSError):
        os.close(os.open(victim, os.O_RDONLY | os.O_TRUNC))
    return False  # seen from outside


def _connect(family: int, kind: int, address: Any) -> None:
    with socket.socket(family, kind) as client:
        client.settimeout(1)
        client.connect(address)
        client.send(b"hello")


def _connect_tcp(aims: Targets) -> None:
    _connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", aims.tcp))


def _connect_udp(aims: Targets) -> None:
    _connect(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", aims.udp))


def _connect_unix(aims: Targets) -> None:
    _connect(socket.AF_UNIX, socket.SOCK_STREAM, aims.unix)


def _connect_abstract(aims: Targets) -> None:
    _connect(socket.AF_UNIX, socket.SOCK_STREAM, b"\0" + aims.abstract.encode())


def _see_processes(aims: Targets) -> bool:
    table = [*_processes(), Path(f"/proc/{aims.process}")]
    # As one argument: what started the sandbox may have it within another.
    return any(aims.word in _read(process / "cmdline").split("\0") for process in table)


def _signal_process(aims: Targets) -> None:
    os.kill(aims.process, signal.SIGTERM)


def _ptrace(aims: Targets) -> bool:
    library = ctypes.CDLL(None)
    if library.ptrace(_PTRACE_SEIZE, aims.process, None, None) == 0:
        library.ptrace(_PTRACE_DETACH, aims.process, None, None)
        return True
    empty = (ctypes.c_size_t * 2)(0, 0)
    return bool(library.process_vm_readv(aims.process, empty, 1, empty, 1, 0) == 0)


def _user_namespace(_: Targets) -> bool:
    library = ctypes.CDLL(None)
    child = library.syscall(
        ctypes.c_long(_CLONE.get(platform.machine(), -1)), _CLONE_NEWUSER | signal.SIGCHLD, 0, 0, 0, 0
    )
    if child == 0:
        os._exit(0)
    return bool(child > 0 or library.unshare(_CLONE_NEWUSER) == 0)


def _run_program(_: Targets) -> bool:
    line = json.dumps(["end", Attempt.RUN_PROGRAM.value, True])
    os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", f"print({line!r})"])  # noqa: S606 — there to be refused


_ATTEMPTS: dict[Attempt, Callable[[Targets], Any]] = {
    Attempt.READ_SECRET: _read_secret,
    Attempt.READ_ENVIRONMENT: _read_environment,
    Attempt.WRITE_OUTSIDE: _write_outside,
    Attempt.CONNECT_TCP: _connect_tcp,
    Attempt.CONNECT_UDP: _connect_udp,
    Attempt.CONNECT_UNIX: _connect_unix,
    Attempt.CONNECT_ABSTRACT: _connect_abstract,
    Attempt.SEE_PROCESSES: _see_processes,
    Attempt.SIGNAL_PROCESS: _signal_process,
    Attempt.PTRACE: _ptrace,
    Attempt.USER_NAMESPACE: _user_namespace,
    Attempt.RUN_PROGRAM: _run_program,
    Attempt.FORK_FLOOD: floods.fork_flood,
    Attempt.THREAD_FLOOD: floods.thread_flood,
    Attempt.MEMORY: floods.memory,
    Attempt.TREE_MEMORY: floods.tree_memory,
    Attempt.LARGE_FILE: floods.large_file,
    Attempt.FILL_SCRATCH: lambda aims: floods.fill(aims, unseen=False),
    Attempt.FILL_UNSEEN: lambda aims: floods.fill(aims, unseen=True),
    Attempt.CPU_TIME: floods.cpu_time,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
