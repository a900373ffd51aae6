"""What runs first inside every sandbox: it closes the last doors behind itself, then becomes the wanted module.

Started as a script by `processes.start`, with one argument: an `orders.Order` in JSON. It is part of the trusted side;
nothing of a submission has been read before the doors are closed. Few modules are imported: they are half of a start.
"""

import ctypes
import importlib.util
import json
import os
import resource
import runpy
import signal
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

# linux/prctl.h, linux/capability.h
_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_SET_NO_NEW_PRIVS = 1, 8, 38
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_READ_SEARCH = 1 << 2
_ROOT_ONLY = "{} can be read by root only: install Python and the project where every user can read them"
CANNOT_START = 125  # the exit status, as that of env(1) and bwrap


def main(text: str) -> None:
    """Close the doors, then run the module; it returns when the module does."""
    order = json.loads(text)
    sys.path += order["search"]
    # Looks into every folder for what is in none: the finders remember what lies there, and may not ask again soon.
    importlib.util.find_spec("no_module_of_this_name")
    try:
        _close(order)
    except Exception as error:
        # A sentence is enough: the traceback of a machine's property tells no more.
        sys.stderr.write(f"The sandbox cannot be closed, so nothing was run: {error}\n")
        sys.stderr.flush()
        os._exit(CANNOT_START)
    sys.argv = [order["module"], *order["arguments"]]
    runpy.run_module(order["module"], run_name="__main__", alter_sys=True)


def _close(order: dict[str, Any]) -> None:
    from rl_leaderboard.judge.sandbox import landlock, seccomp

    os.closerange(3, 1024)
    os.environ.clear()
    os.environ.update(_environment(order["scratch"]))
    os.chdir(order["scratch"])
    if not order["forks"]:
        # Looking for a folder, the module would make a file there and remove it, which is forbidden soon.
        tempfile.tempdir = order["scratch"]
    filter_program = seccomp.program(only=None if order["forks"] else os.getpid(), programs=False)
    for kind, limit in order["rlimits"]:
        hard = resource.getrlimit(kind)[1]
        # The kernel says SIGXCPU, which tells time from memory, only below the hard limit; there it kills.
        last = limit + 1 if kind == resource.RLIMIT_CPU else limit
        last = last if hard == resource.RLIM_INFINITY else min(last, hard)
        resource.setrlimit(kind, (min(limit, last), last))
    if order["user"] is not None:
        _become(order["user"], order["view"])
    if order["parent"] is not None:
        # After the change of user, which forgets it.
        seccomp.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != order["parent"]:
            raise OSError("whoever started it has ended")
    seccomp.prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if order["view"] is not None:
        landlock.restrict(*([Path(name) for name in names] for names in order["view"]))
    seccomp.install(filter_program)


def _environment(scratch: str) -> dict[str, str]:
    """One thread for matrices, as on any machine: a sum of floats depends on how many share it."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {"HOME": scratch, "TMPDIR": scratch, "LC_CTYPE": "C.UTF-8", **threads}


def _become(user: int, view: Any) -> None:
    """Give up root. Landlock's view may lie where this user cannot go, such as below /root.

    Then one capability stays: to read whatever a file's mode says. Landlock still decides which files can be opened.
    """
    from rl_leaderboard.judge.sandbox import seccomp

    seccomp.prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    needed = [sys.prefix, os.__file__, *sys.path[:3], *(view[0] if view else [])]
    hidden = [name for name in needed if not _reachable(name)]
    if hidden and not view:
        raise OSError(
            f"{hidden[0]} can be read by root only: install Python and the project where every user can read them"
        )
    try:
        _set_capabilities(_CAP_DAC_READ_SEARCH if hidden else 0)
    except PermissionError as error:
        raise OSError(_ROOT_ONLY.format(hidden[0])) from error


def _reachable(name: str) -> bool:
    """Whether the user may read it, or it is not there at all."""
    try:
        mode = os.R_OK | os.X_OK if os.path.isdir(name) else os.R_OK  # noqa: PTH112 — pathlib hides the permission error
        os.stat(name)  # noqa: PTH116
        return os.access(name, mode)
    except FileNotFoundError:
        return True
    except PermissionError:
        return False


def _set_capabilities(mask: int) -> None:
    header = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITY_VERSION_3, 0))
    # effective, permitted, inheritable: the lower 32 capabilities, then the upper
    sets = ctypes.create_string_buffer(struct.pack("6I", mask, mask, 0, 0, 0, 0))
    library = ctypes.CDLL(None, use_errno=True)
    if library.capset(header, sets) != 0:
        raise PermissionError("capset")


if __name__ == "__main__":
    main(sys.argv[1])
