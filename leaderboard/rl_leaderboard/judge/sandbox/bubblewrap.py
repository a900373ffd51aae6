"""The command line of bubblewrap: a sandbox with namespaces of its own."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from rl_leaderboard.judge.sandbox.tiers import NoSandbox

NOBODY = 65534
SCRATCH = Path("/scratch")  # inside, where nobody asks for another


def find() -> str:
    """Where the program is.

    Raises:
        NoSandbox: It is not installed.
    """
    found = shutil.which("bwrap")
    if found is None:
        raise NoSandbox("The program bwrap is missing. Install the package `bubblewrap` (0.8 or later).")
    return found


def command(
    inner: Sequence[str],
    *,
    readable: Sequence[Path],
    scratch: Path,
    scratch_bytes: int,
    filter_fd: int,
    as_root: bool,
) -> list[str]:
    """The program with its arguments. Start it with an empty environment: /proc/1/environ inside is its own.

    Args:
        inner: What runs inside.
        readable: What is seen there, read-only, at the same paths.
        scratch: Where a folder is that can be changed. It is in memory.
        scratch_bytes: Its size.
        filter_fd: A file with the filter of system calls.
        as_root: Root needs no user namespace, and the program inside becomes nobody by itself: a limit on processes
            counts nothing for whom the host calls root, whatever a user namespace calls it.
    """
    seen = sorted(set(readable))  # so that a folder inside another one is not hidden by it
    # By itself bwrap makes the folders above as closed as the host has them, such as /root.
    above = sorted({parent for path in [*seen, scratch] for parent in path.parents[:-1]})
    views = [part for path in above for part in ("--perms", "0755", "--dir", str(path))]
    views += [part for path in seen for part in ("--ro-bind", str(path.resolve()), str(path))]
    views += ["--perms", "1777", "--size", str(scratch_bytes), "--tmpfs", str(scratch)]
    return [
        find(),
        *(_namespaces_of_root() if as_root else _namespaces_of_a_user()),
        *("--new-session", "--die-with-parent"),
        *("--proc", "/proc", "--dev", "/dev"),
        *views,
        # Both are in memory and have no size: nothing may be written there.
        *("--remount-ro", "/dev", "--remount-ro", "/"),
        *("--chdir", str(scratch), "--seccomp", str(filter_fd)),
        "--",
        *inner,
    ]


def _namespaces_of_root() -> list[str]:
    names = [f"--unshare-{name}" for name in ("ipc", "pid", "net", "uts", "cgroup-try")]
    return [*names, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]


def _namespaces_of_a_user() -> list[str]:
    identity = ["--uid", str(NOBODY), "--gid", str(NOBODY)]
    return ["--unshare-all", "--unshare-user", "--disable-userns", *identity, "--cap-drop", "ALL"]
