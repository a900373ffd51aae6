"""How the game is compiled: numba's options in one place.

`NUMBA_DISABLE_JIT=1` runs the same functions as plain Python; they give the same bits, only slowly. Hence no fast
mathematics, and constants of the game are numpy scalars of 32 bits: a Python float would be 64 bits wide in numba.
"""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba
from numba.core import event

Function = TypeVar("Function", bound=Callable[..., Any])

_log = logging.getLogger("snowball_fight")

# Divisions by zero are ruled out in the formulas; Python's check for them would keep loops from being vectorised.
_DIVISION: Final = "numpy"


def compiled(function: Function) -> Function:
    """Compiles a function that other compiled functions call."""
    return cast(Function, numba.njit(nogil=True, error_model=_DIVISION)(function))


def driver(function: Function) -> Function:
    """Compiles a function that Python calls, keeps the machine code on disk, and says when that takes a while.

    numba looks for changes in the function's own file alone. A driver calls functions of other files, so it has to be a
    closure over `source_digest()`: closed-over values are part of the key under which numba keeps the code.
    """
    dispatcher = numba.njit(cache=True, nogil=True, error_model=_DIVISION)(function)
    event.register("numba:compile", _Notice(dispatcher))  # type: ignore[no-untyped-call]  # numba's own gap
    return cast(Function, dispatcher)


def source_digest() -> int:
    """A number of 62 bits that changes with every source file that ends up in machine code."""
    package = Path(__file__).parent
    folders = ("kernel", "opponents")
    paths = [package / f"{module}.py" for module in ("compiling", "headings", "layout", "random_stream")]
    paths += [path for folder in folders for path in (package / folder).glob("*.py")]
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(paths):
        digest.update(path.read_bytes())
    return int.from_bytes(digest.digest()) >> 2


class _Notice(event.Listener):
    """Says once that the game is being compiled; nothing is said when the machine code is found on disk."""

    said = False

    def __init__(self, dispatcher: Any) -> None:
        self._dispatcher = dispatcher

    def on_start(self, event: Any) -> None:
        if event.data["dispatcher"] is self._dispatcher and not _Notice.said:
            _Notice.said = True
            _log.warning("Compiling the game, once, about half a minute; it is kept for the next time.")

    def on_end(self, event: Any) -> None:
        """Nothing to say."""
