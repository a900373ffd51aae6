"""What was made for one visitor and is good for the next, until what it shows has changed."""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from rl_leaderboard.classroom import Classroom

# Pages tell how long ago things happened.
_SECONDS = 30.0

_V = TypeVar("_V")


@dataclass(frozen=True)
class _Entry(Generic[_V]):
    value: _V
    size: int
    depends_on: str
    generation: int
    until: float


class Kept(Generic[_V]):
    """Values by their keys, good as long as a counter of `boards.generations` stands still, and half a minute at most.

    Threads may use it at the same time.

    Args:
        classroom: Whose counters.
        most_bytes: So much is kept; what was not asked for longest goes first.
    """

    def __init__(self, classroom: Classroom, most_bytes: int) -> None:
        self._classroom = classroom
        self._most_bytes = most_bytes
        self._entries: OrderedDict[Hashable, _Entry[_V]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def generation(self, depends_on: str) -> int:
        """Where a counter stands: to be read before the value is made."""
        return self._classroom.generations.get(depends_on, 0)

    def find(self, key: Hashable) -> _V | None:
        """A value that is still good."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.generation != self.generation(entry.depends_on):
                return None
            if time.monotonic() >= entry.until:
                return None
            self._entries.move_to_end(key)
            return entry.value

    def keep(self, key: Hashable, value: _V, *, size: int, depends_on: str, generation: int) -> None:
        """Keeps a value, unless there is no room for it even alone.

        Args:
            key: What it depends on besides the database.
            value: The value.
            size: Bytes, about.
            depends_on: The counter.
            generation: Where it stood before the value was made.
        """
        if size > self._most_bytes:
            return
        entry = _Entry(value, size, depends_on, generation, time.monotonic() + _SECONDS)
        with self._lock:
            replaced = self._entries.pop(key, None)
            self._bytes += size - (replaced.size if replaced else 0)
            self._entries[key] = entry
            while self._bytes > self._most_bytes:
                _, oldest = self._entries.popitem(last=False)
                self._bytes -= oldest.size
