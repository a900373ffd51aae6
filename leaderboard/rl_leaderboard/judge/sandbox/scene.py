"""What the self-test of a sandbox leaves on the host to be attacked, and the evidence afterwards."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rl_leaderboard.judge.sandbox.bubblewrap import NOBODY
from rl_leaderboard.judge.sandbox.hostile import Targets
from rl_leaderboard.judge.sandbox.limits import Limits
from rl_leaderboard.judge.sandbox.scratch import Scratch
from rl_leaderboard.judge.sandbox.tiers import Attempt

_UNHARMED = b"unharmed"


class Scene:
    """A secret, a folder, a process and four listeners, open to everybody, so that only a sandbox stops an attempt."""

    def __init__(self) -> None:
        self._word = f"rl-probe-{secrets.token_hex(8)}"
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with self._closing:  # undone if one step fails
            self.folder = self._closing.enter_context(Scratch())
            self.folder.chmod(0o777)
            for name, content in (("secret", self._word.encode()), ("victim", _UNHARMED)):
                (self.folder / name).write_bytes(content)
                (self.folder / name).chmod(0o666)
            self._listen()
            self._process = self._start_process()
            self._closing = self._closing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def _listen(self) -> None:
        self._unix = str(self.folder / "socket")
        places: dict[Attempt, tuple[int, int, Any]] = {
            Attempt.CONNECT_TCP: (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            Attempt.CONNECT_UDP: (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            Attempt.CONNECT_UNIX: (socket.AF_UNIX, socket.SOCK_STREAM, self._unix),
            Attempt.CONNECT_ABSTRACT: (socket.AF_UNIX, socket.SOCK_STREAM, b"\0" + self._word.encode()),
        }
        self._listeners: dict[Attempt, socket.socket] = {}
        for attempt, (family, kind, address) in places.items():
            listener = self._closing.enter_context(socket.socket(family, kind))
            listener.bind(address)
            listener.setblocking(False)
            if kind == socket.SOCK_STREAM:
                listener.listen()
            self._listeners[attempt] = listener
        Path(self._unix).chmod(0o777)

    def _start_process(self) -> subprocess.Popen[bytes]:
        """A process that ends with this one: `cat` waits for its input, and never comes to the file with our word."""
        root = os.geteuid() == 0
        process = subprocess.Popen(  # noqa: S603
            [shutil.which("cat") or "/bin/cat", "-", self._word],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"SECRET": self._word},
            cwd="/",
            user=NOBODY if root else None,
            group=NOBODY if root else None,
            extra_groups=[] if root else None,
        )
        self._closing.callback(process.communicate)
        return process

    def targets(self, limits: Limits) -> Targets:
        """What the hostile program is told."""
        return Targets(
            secret=str(self.folder / "secret"),
            folder=str(self.folder),
            word=self._word,
            process=self._process.pid,
            tcp=self._listeners[Attempt.CONNECT_TCP].getsockname()[1],
            udp=self._listeners[Attempt.CONNECT_UDP].getsockname()[1],
            unix=self._unix,
            abstract=self._word,
            processes=limits.processes,
            memory_bytes=limits.memory_bytes,
            scratch_bytes=limits.scratch_bytes,
            cpu_seconds=limits.cpu_seconds,
        )

    def evidence(self) -> dict[Attempt, bool]:
        """Which attempts got through, of those that leave a trace here."""
        found = {attempt: _was_reached(listener) for attempt, listener in self._listeners.items()}
        found[Attempt.SIGNAL_PROCESS] = self._process.poll() is not None
        found[Attempt.WRITE_OUTSIDE] = self._was_written()
        return found

    def _was_written(self) -> bool:
        places = [self.folder, *map(Path, ("/tmp", "/var/tmp", "/dev/shm", "/")), Path(__file__).parent]  # noqa: S108
        left = [place / self._word for place in places if (place / self._word).exists()]
        for path in left:
            path.unlink(missing_ok=True)
        victim = self.folder / "victim"
        return bool(left) or victim.stat().st_mode & 0o777 != 0o666 or victim.read_bytes() != _UNHARMED


def _was_reached(listener: socket.socket) -> bool:
    try:
        if listener.type == socket.SOCK_DGRAM:
            listener.recv(1)
        else:
            listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True
