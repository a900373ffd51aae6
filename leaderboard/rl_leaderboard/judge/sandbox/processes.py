"""Sandboxes as processes: started, watched, ended."""

import atexit
import contextlib
import os
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from rl_leaderboard.judge.sandbox import bubblewrap, seccomp, views
from rl_leaderboard.judge.sandbox import limits as bounds
from rl_leaderboard.judge.sandbox.limits import Limits
from rl_leaderboard.judge.sandbox.orders import Order
from rl_leaderboard.judge.sandbox.scratch import Scratch, sweep
from rl_leaderboard.judge.sandbox.tiers import NoSandbox, Tier
from rl_leaderboard.judge.sandbox.watch import Watch, tree

_LAUNCHER = Path(__file__).with_name("launch.py")
_MOST_STDERR = 64 * 1024  # bytes that are kept: the last
_END_SECONDS = 10.0  # for a killed process to be gone

_watch = Watch()
os.register_at_fork(after_in_child=lambda: globals().update(_watch=Watch()))  # a thread does not survive a fork
_swept = threading.Event()
atexit.register(lambda: _watch.end_all())


class SandboxProcess(subprocess.Popen[bytes]):
    """A program in a sandbox.

    Attributes:
        tier: The kind of sandbox.
        limits: What it may use.
        scratch: Its folder on the host; None if it is in memory.
        overrun: Why the watch ended it: "memory", "processes", "disk" or "watch"; None if it did not.
    """

    def __init__(
        self, command: Sequence[str], tier: Tier, limits: Limits, scratch: Path | None, *, pass_fds: Sequence[int] = ()
    ) -> None:
        self.tier, self.limits, self.scratch = tier, limits, scratch
        self.overrun: str | None = None
        self._own_scratch: Scratch | None = None
        self._lock = threading.Lock()
        self._stderr: deque[bytes] = deque()
        reader, writer = os.pipe()
        self._stderr_pipe: BinaryIO = open(reader, "rb", buffering=0)  # noqa: SIM115, PTH123 — closed in `_clean_up`
        os.set_blocking(reader, False)
        try:
            # A group of its own, and nothing of this process' environment.
            super().__init__(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=writer,
                env={},
                start_new_session=True,
                pass_fds=pass_fds,
            )
        except BaseException:
            self._stderr_pipe.close()
            raise
        finally:
            os.close(writer)

    def own(self, scratch: Scratch) -> None:
        """A folder to remove when it has ended."""
        self._own_scratch = scratch

    def __exit__(self, *_: object) -> None:
        self.end()
        for stream in (self.stdin, self.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # of what it never read
                    stream.close()

    def end(self) -> None:
        """Kill all of it, wait until it is gone, and clean up. Doing so twice is fine."""
        if self.returncode is None:
            handles = []
            for pid in tree(self.pid):
                with contextlib.suppress(ProcessLookupError):
                    handles.append(os.pidfd_open(pid))
            for handle in reversed(handles):  # the innermost first: the outer ones report its end
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
            # A child that was just being made was in no list of children yet, but it is in the group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.wait()
            until = time.monotonic() + _END_SECONDS
            for handle in handles:
                select.select([handle], [], [], max(0.0, until - time.monotonic()))
                os.close(handle)
        self._clean_up()

    def stderr_text(self) -> str:
        """The end of what it has written to its standard error. It is hostile, too: escape it wherever it goes."""
        self.drain()
        with self._lock:
            return b"".join(self._stderr).decode("utf-8", "backslashreplace")

    def drain(self) -> None:
        """Take what it has written to its standard error; no more than a pipe holds, so that it cannot keep us busy."""
        with self._lock:
            if self._stderr_pipe.closed:
                return
            data = self._stderr_pipe.read(_MOST_STDERR)
            if data:
                self._stderr.append(data)
                kept = b"".join(self._stderr)[-_MOST_STDERR:]
                self._stderr = deque([kept])

    def ended(self) -> bool:
        """Whether it runs no more; then it has also cleaned up."""
        if self.poll() is None:
            return False
        self._clean_up()
        return True

    def overran(self, reason: str) -> None:
        """End it because it used too much of something."""
        self.overrun = reason
        self.end()

    def _clean_up(self) -> None:
        self.drain()
        with self._lock:
            self._stderr_pipe.close()
            if self._own_scratch is not None:
                self._own_scratch.remove()


def start(
    tier: Tier,
    limits: Limits,
    module: str,
    arguments: Sequence[str],
    *,
    readable: Sequence[Path],
    writable: Path | None = None,
    forks: bool = False,
) -> SandboxProcess:
    """Run `python -m module arguments` in a sandbox.

    Its standard input and output are pipes. Call `end` when it is not needed any more.

    Args:
        tier: The kind of sandbox, as `probe.available` found it.
        limits: What it may use.
        module: A module of the standard library, an installed package or the project.
        arguments: For the module.
        readable: Folders and files that it may read, besides the interpreter and the packages, at the same paths. If
            the judge runs as root, the program inside does not: they have to be readable by everybody, though their
            parents need not be.
        writable: Its folder for temporary files. In `Tier.NAMESPACES` that is memory at this path, and the host's
            folder stays as it is; else what lies there afterwards is untrusted: it may be a link, a pipe or anything.
            None for one that goes with the process.
        forks: Whether the module may start processes, though no programs. Each has limits of its own, so it has to
            close that door, with `seccomp.forbid_processes`, in one that is about to read what nobody trusts.

    Raises:
        NoSandbox: It cannot be started on this machine.
    """
    for path in readable:
        _check_readable(path)
    if not _swept.is_set():
        _swept.set()
        sweep()
    visible = [*views.program_files(), *readable]
    run = {"module": module, "arguments": list(arguments), "forks": forks}
    return _watch.do(lambda: _start(tier, limits, run, visible, writable))


def _start(
    tier: Tier, limits: Limits, run: dict[str, Any], visible: list[Path], writable: Path | None
) -> SandboxProcess:
    on_host = tier is not Tier.NAMESPACES
    own = Scratch() if on_host and writable is None else None
    scratch = own.path if own else writable or bubblewrap.SCRATCH
    if on_host and os.geteuid() == 0:
        os.chown(scratch, bubblewrap.NOBODY, bubblewrap.NOBODY)
    order = _order(tier, limits, run, visible, scratch)
    inner = [str(views.interpreter()), "-I", "-S", "-B", str(_LAUNCHER), order.text()]
    try:
        if tier is Tier.NAMESPACES:
            process = _start_namespaces(inner, limits, visible, scratch)
        else:
            process = SandboxProcess(inner, tier, limits, scratch)
    except BaseException as error:
        if own:
            own.remove()
        if isinstance(error, OSError):
            raise NoSandbox(
                f"The sandbox cannot be started: {error}. See the README's section on the judge."
            ) from error
        raise
    if own:
        process.own(own)
    _watch.add(process)
    return process


def _start_namespaces(inner: list[str], limits: Limits, visible: list[Path], scratch: Path) -> SandboxProcess:
    with tempfile.TemporaryFile() as filter_file:
        filter_file.write(seccomp.program())
        filter_file.seek(0)
        command = bubblewrap.command(
            inner,
            readable=visible,
            scratch=scratch,
            scratch_bytes=limits.scratch_bytes,
            filter_fd=filter_file.fileno(),
            as_root=os.geteuid() == 0,
        )
        return SandboxProcess(command, Tier.NAMESPACES, limits, None, pass_fds=[filter_file.fileno()])


def _order(tier: Tier, limits: Limits, run: dict[str, Any], visible: list[Path], scratch: Path) -> Order:
    root = os.geteuid() == 0
    view = None
    if tier is Tier.LANDLOCK:
        read = [*visible, *views.DEVICES, *views.PROCESS_FILES]
        write = [scratch, *views.WRITABLE_DEVICES]
        view = ([str(path) for path in read], [str(path) for path in write])
    return Order(
        **run,
        search=[str(path) for path in views.search_path()],
        scratch=str(scratch),
        rlimits=bounds.rlimits(limits, bubblewrap.NOBODY if root else os.geteuid()),
        user=bubblewrap.NOBODY if root else None,
        parent=None if tier is Tier.NAMESPACES else os.getpid(),
        view=view,
    )


def _check_readable(path: Path) -> None:
    """Say now what would otherwise be a permission error inside, which looks like an agent's mistake."""
    if os.geteuid() == 0 and not path.stat().st_mode & 0o004:
        raise NoSandbox(
            f"{path} can be read by its owner only, but sandboxes of root run as nobody. Give others the right."
        )
