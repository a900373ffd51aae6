"""The program in the sandbox: `python -m rl_leaderboard.judge.players.inside`, messages on stdin and stdout.

It imports torch once, which takes longer than a small agent's whole evaluation, and then makes a fresh process for
each submission by forking. The fork has never seen another submission, and the original never sees one: it reads a
submission's opening message, forks, and waits. So nothing is kept from one to the next, provided that the fork has
really gone and has changed nothing. This program says that it has (`OVER`) only after it has seen that

- the submission's process and everything that it started have ended (as their subreaper, it would inherit them);
- the scratch folder could be emptied;
- its own limits, niceness and processors are as they were.

Otherwise it ends, and the judge starts a new one, as it does after every failure. A submission's process cannot read or
write this one's memory, because it is not dumpable; nor can it forge the `OVER`, which reveals a secret that was drawn
after the fork and that the judge has had a hash of since before the submission was sent. An opening message that was
left in the pipe by somebody else lacks the judge's nonce.

In a sandbox that lets nothing be forked, the program serves one submission itself, and ends.

It begins with the standard library alone, so that it can set up its streams before anything else is imported.
"""

import contextlib
import ctypes
import hashlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from rl_leaderboard.judge.players.messages import Kind, Pipe, json_frame

Play = Callable[[Pipe, dict[str, Any], Path], None]
"""Serves one submission: what the judge is talked to with, the opening message, an empty folder."""

MOST_OPENING_BYTES = 1024**2
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 1, 4, 36  # linux/prctl.h
_HEIRS_SECONDS = 2.0
"""How long the processes that a submission leaves behind are looked for."""
_CHILDREN = "/proc/self/task/{}/children"
_LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]


def serve(pipe: Pipe, play: Play, versions: dict[str, str], seal: Callable[[], None] | None = None) -> None:
    """Makes a process for each submission, until the judge ends the connection.

    Args:
        pipe: To the judge.
        play: What each process does.
        versions: Of Python and packages, for `READY`.
        seal: What each fork does before it sees a submission.
    """
    _prctl(_PR_SET_DUMPABLE, 0)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    scratch = Path(tempfile.gettempdir())
    state = _own_state()
    pipe.send(json_frame(Kind.READY, {"versions": versions}))
    while (header := pipe.header()) is not None:
        kind, length = header
        if kind == Kind.END and length == 0:
            continue  # of a submission whose process had already gone
        if kind != Kind.OPENING or length > MOST_OPENING_BYTES:
            return
        opening = json.loads(pipe.body(length))
        folder = Path(tempfile.mkdtemp(prefix="agent-", dir=scratch))
        secret, status = _serve_one(pipe, partial(play, pipe, opening, folder), opening, seal)
        if not _has_left_nothing(pipe, scratch, state):
            return
        number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
        pipe.send(json_frame(Kind.OVER, {"secret": secret, "signal": number, "code": code}))


def _serve_one(
    pipe: Pipe, play: Callable[[], None], opening: dict[str, Any], seal: Callable[[], None] | None
) -> tuple[str, int]:
    """Forks, lets the fork serve a submission, and gives the secret of that fork and how it ended."""
    waiting, starting = os.pipe()
    parent = os.getpid()
    try:
        child = os.fork()
    except PermissionError:
        # A sandbox in which no process can be started: this one serves once, and ends.
        _commit(pipe, opening, os.urandom(32).hex())
        _play(play)
    if child == 0:
        os.close(starting)
        os.read(waiting, 1)  # until the commitment is out: from then on nobody's secret can be replaced
        os.close(waiting)
        _be_born(parent)
        if seal is not None:
            seal()
        _play(play)
    secret = os.urandom(32).hex()
    _commit(pipe, opening, secret)
    os.close(starting)
    os.close(waiting)
    _, status = os.waitpid(child, 0)
    return secret, status


def _commit(pipe: Pipe, opening: dict[str, Any], secret: str) -> None:
    commitment = hashlib.sha256(secret.encode()).hexdigest()
    pipe.send(json_frame(Kind.BORN, {"nonce": opening.get("nonce"), "commitment": commitment}))


def _play(play: Callable[[], None]) -> NoReturn:
    """Serves a submission and ends this process."""
    try:
        play()
        code = 0
    except EOFError:
        code = 0  # the judge has gone
    except BaseException as error:
        # Its type only: the text may be the submission's.
        os.write(2, f"The submission's process ends with {type(error).__name__}.\n".encode())
        code = 1
    finally:
        # Not by returning: neither what runs at an end nor a library's threads are this process's.
        os._exit(code)


def _be_born(parent: int) -> None:
    """What only a fork does, before it sees a submission."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
    # Whatever plays an agent needs neither a process nor a thread more. This binds no root, which a sandbox is not.
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _has_left_nothing(pipe: Pipe, scratch: Path, state: Any) -> bool:
    if _had_heirs():
        return False
    for descriptor in (pipe.reading, pipe.writing):
        os.set_blocking(descriptor, True)  # a flag that the fork shares
    try:
        for path in scratch.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    except OSError:
        return False
    return bool(_own_state() == state)


def _had_heirs() -> bool:
    """Ends the processes of the submission that are left, as far as they can be found; says whether there were any.

    Each that ends leaves its own children to this one, so there is round after round, but not for ever: whoever forks
    faster than that is left to the sandbox.
    """
    had_any = False
    deadline = time.monotonic() + _HEIRS_SECONDS
    while time.monotonic() < deadline:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return had_any
        if ended == 0:
            had_any = True
            _kill_children()
            time.sleep(0.001)
    return True


def _kill_children() -> None:
    with contextlib.suppress(OSError, ValueError):
        for child in Path(_CHILDREN.format(os.getpid())).read_text().split():
            os.kill(int(child), signal.SIGKILL)


def _own_state() -> Any:
    limits = [resource.getrlimit(limit) for limit in _LIMITS]
    return limits, os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0), os.sched_getscheduler(0)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} is refused")


def take_over_standard_streams() -> Pipe:
    """The connection with the judge; whatever prints from now on prints to stderr, and nothing else reads stdin."""
    pipe = Pipe(os.dup(0), os.dup(1))
    os.dup2(2, 1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return pipe


def main() -> None:
    """Serves submissions on stdin and stdout."""
    # Before numpy and torch are imported, which read them once: one thread, so that rounding does not depend on the
    # machine, and because a process with threads cannot be forked safely.
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    pipe = take_over_standard_streams()
    from rl_leaderboard.judge.players import playing
    from rl_leaderboard.judge.sandbox import seccomp

    # The sandbox lets this program fork, and only the forks read what nobody trusts.
    seal = seccomp.forbid_processes if seccomp.supported() else None
    serve(pipe, playing.play, playing.warm_up(), seal)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the judge
    sys.dont_write_bytecode = True
    main()
