"""Which files a process can open (Landlock, landlock(7)), without any privilege."""

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

# The same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ONLY_THE_VERSION, _PATH_BENEATH = 1, 1

# linux/landlock.h, bits 0 to 12 of the first version
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIRECTORY, _REMOVE_DIRECTORY, _REMOVE_FILE = (1 << bit for bit in range(6))
_MAKE_DIRECTORY, _MAKE_FILE = 1 << 7, 1 << 8
_ALL_OF_THE_FIRST = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15  # versions 2, 3 and 5
_NETWORK = 0b11  # version 4: TCP bind and connect
_SCOPES = 0b11  # version 6: abstract sockets, signals

_READ = _READ_FILE | _READ_DIRECTORY
_WRITE = _READ | _WRITE_FILE | _REMOVE_DIRECTORY | _REMOVE_FILE | _MAKE_DIRECTORY | _MAKE_FILE | _TRUNCATE
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE


def version() -> int:
    """The version of the kernel's interface; 0 if it has none."""
    try:
        return _call(_CREATE_RULESET, None, 0, _ONLY_THE_VERSION)
    except OSError:
        return 0


def restrict(readable: Iterable[Path], writable: Iterable[Path]) -> None:
    """From now on this thread, and all that it starts, opens nothing but these; there is no way back.

    Also no TCP, and no signal or abstract socket to others, where the kernel knows how. `no_new_privs` has to be set.

    Args:
        readable: Files, and folders with all that is in them. What does not exist is left out.
        writable: The same, to write, make and remove files and folders, too.

    Raises:
        OSError: The kernel does not allow it.
    """
    known = version()
    handled = _ALL_OF_THE_FIRST | (_REFER if known >= 2 else 0)
    handled |= (_TRUNCATE if known >= 3 else 0) | (_IOCTL_DEVICE if known >= 5 else 0)
    attributes = struct.pack("Q", handled)
    if known >= 4:
        attributes += struct.pack("Q", _NETWORK)
    if known >= 6:
        attributes += struct.pack("Q", _SCOPES)
    ruleset = _call(_CREATE_RULESET, attributes, len(attributes), 0)
    try:
        for path in readable:
            _allow(ruleset, path, _READ & handled)
        for path in writable:
            _allow(ruleset, path, _WRITE & handled)
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, access: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not path.is_dir():
            access &= _OF_A_FILE
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", access, parent), 0)
    finally:
        os.close(parent)


def _call(number: int, *arguments: int | bytes | None) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    converted = [ctypes.c_long(value) if isinstance(value, int) else ctypes.c_char_p(value) for value in arguments]
    result: int = library.syscall(ctypes.c_long(number), *converted)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), "landlock")
    return result
