"""A filter of system calls (seccomp(2), classic BPF), for x86_64 and aarch64."""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable

from rl_leaderboard.judge.sandbox import syscalls
from rl_leaderboard.judge.sandbox.syscalls import Numbers

# linux/audit.h; the position in `Numbers`
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_X32_BIT = 0x40000000  # calls of the x32 ABI, with other numbers for the same things

# linux/bpf_common.h: load a word of seccomp_data; jumps; return
_LOAD, _EQUAL, _GREATER, _AND_SET, _AND, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in seccomp_data

# linux/seccomp.h
_KILL_PROCESS, _ERROR, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_EPERM, _ENOSYS = _ERROR | errno.EPERM, _ERROR | errno.ENOSYS
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _FILTER_MODE = 38, 22, 2

# linux/sched.h
_CLONE_THREAD = 0x00010000
_CLONE_NAMESPACES = 0x7E020000
# linux/fcntl.h and asm-generic/fcntl.h; without O_DIRECTORY, which differs
_AT_REMOVEDIR, _O_TMPFILE = 0x200, 0o20000000
# asm-generic/fcntl.h and ioctls.h: signals to another process when a file is ready; keys typed into a terminal
_F_SETOWN, _F_SETSIG, _F_SETOWN_EX = 8, 10, 15
_TIOCSTI, _TIOCLINUX, _FIOSETOWN, _SIOCSPGRP = 0x5412, 0x541C, 0x8901, 0x8902

_Step = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def supported() -> bool:
    """Whether the filter knows this machine's architecture."""
    return os.uname().machine in _ARCHITECTURES


def forbid_processes() -> None:
    """For a process in a sandbox that may fork, before it reads what nobody trusts.

    From now on it starts no process, sends signals to itself only, and keeps every file that it has made, so that the
    watch can see it.

    Raises:
        OSError: The kernel does not allow it.
    """
    install(program(only=os.getpid()))


def program(*, only: int | None = None, programs: bool = True) -> bytes:
    """The filter as an array of `struct sock_filter`, which `bwrap --seccomp` reads.

    Args:
        only: The process that it is for: it stays the only one, starts no program, signals no other, removes no file.
        programs: Whether other programs can be started, and other processes be signalled, without `only`.

    Raises:
        OSError: An architecture that the filter does not know.
    """
    if not supported():
        raise OSError(errno.ENOSYS, f"no filter of system calls is known for {os.uname().machine}")
    audit, column = _ARCHITECTURES[os.uname().machine]
    steps = _opening(audit)
    for group in syscalls.DENIED.values():
        steps += _each(group.values(), column, _EPERM)
    steps += _each(syscalls.NOT_THERE.values(), column, _ENOSYS)
    steps += _by_arguments(column)
    if only is not None or not programs:
        steps += _each(syscalls.DENIED_AT_LAST.values(), column, _EPERM)
    if only is not None:
        steps += _each(syscalls.DENIED_ALONE.values(), column, _EPERM)
        steps += _when(syscalls.UNLINKAT, column, 2, [(_AND_SET, 1, 0, _AT_REMOVEDIR), _back(_EPERM)])
        steps += _when(syscalls.OPEN, column, 1, [(_AND_SET, 0, 1, _O_TMPFILE), _back(_EPERM)])
        steps += _when(syscalls.OPENAT, column, 2, [(_AND_SET, 0, 1, _O_TMPFILE), _back(_EPERM)])
        steps += _when(syscalls.CLONE, column, 0, [(_AND_SET, 1, 0, _CLONE_THREAD), _back(_EPERM)])
        steps += _when(syscalls.TGKILL, column, 0, [(_EQUAL, 1, 0, only), _back(_EPERM)])
    return b"".join(struct.pack("HBBI", *step) for step in [*steps, _back(_ALLOW)])


def install(filter_program: bytes) -> None:
    """Put a filter on this thread, and on all that it starts; there is no way back.

    Raises:
        OSError: The kernel does not allow it.
    """
    count = len(filter_program) // struct.calcsize("HBBI")
    buffer = ctypes.create_string_buffer(filter_program, len(filter_program))
    sock_fprog = struct.pack("HxxxxxxP", count, ctypes.addressof(buffer))
    described = ctypes.create_string_buffer(sock_fprog, len(sock_fprog))
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.addressof(described))


def prctl(option: int, first: int = 0, second: int = 0) -> None:
    """Change something about this process (see the manual, section 2).

    Raises:
        OSError: It failed.
    """
    library = ctypes.CDLL(None, use_errno=True)
    arguments = [ctypes.c_ulong(value) for value in (first, second, 0, 0)]
    if library.prctl(ctypes.c_int(option), *arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), f"prctl {option}")


def _opening(audit: int) -> list[_Step]:
    """Another architecture's calls have other numbers: whoever makes one is killed. Unknown calls are not there."""
    steps = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, audit), _back(_KILL_PROCESS), (_LOAD, 0, 0, _NUMBER)]
    steps += [(_AND_SET, 0, 1, _X32_BIT), _back(_KILL_PROCESS)]
    return [*steps, (_GREATER, 0, 1, syscalls.LAST_KNOWN), _back(_ENOSYS)]


def _by_arguments(column: int) -> list[_Step]:
    """Calls that are needed in one way and harmful in another. Only low words are read: all these are 32-bit."""
    steps = _when(syscalls.CLONE, column, 0, [(_AND_SET, 0, 1, _CLONE_NAMESPACES), _back(_EPERM)])
    # Landlock before Linux 6.2 lets a file that may be read be cut to nothing.
    emptied = [(_AND, 0, 0, os.O_ACCMODE | os.O_TRUNC), (_EQUAL, 0, 1, os.O_TRUNC), _back(_EPERM)]
    steps += _when(syscalls.OPEN, column, 1, emptied) + _when(syscalls.OPENAT, column, 2, emptied)
    steps += _when(syscalls.PRLIMIT64, column, 0, [(_EQUAL, 1, 0, 0), _back(_EPERM)])  # of oneself only
    for command in (_F_SETOWN, _F_SETSIG, _F_SETOWN_EX):
        steps += _when(syscalls.FCNTL, column, 1, [(_EQUAL, 0, 1, command), _back(_EPERM)])
    for command in (_TIOCSTI, _TIOCLINUX, _FIOSETOWN, _SIOCSPGRP):
        steps += _when(syscalls.IOCTL, column, 1, [(_EQUAL, 0, 1, command), _back(_EPERM)])
    return steps


def _each(calls: Iterable[Numbers], column: int, answer: int) -> list[_Step]:
    numbers = [call[column] for call in calls]
    return [step for number in numbers if number is not None for step in ((_EQUAL, 0, 1, number), _back(answer))]


def _when(call: Numbers, column: int, argument: int, steps: list[_Step]) -> list[_Step]:
    """Steps that look at one argument of one call, and otherwise go on with its number loaded again."""
    number = call[column]
    if number is None:
        return []
    inner = [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument), *steps, (_LOAD, 0, 0, _NUMBER)]
    return [(_EQUAL, 0, len(inner), number), *inner]


def _back(answer: int) -> _Step:
    return (_RETURN, 0, 0, answer)
