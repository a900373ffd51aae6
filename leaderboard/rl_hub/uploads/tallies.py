"""Sums that many threads change: what uploads in progress take, until they end."""

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class Tally:
    """A sum for each key, in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: Counter[Hashable] = Counter()

    @contextmanager
    def adding(self, key: Hashable, amount: int) -> Iterator[int]:
        """Adds to the sum of a key until the end of the `with` block.

        Yields:
            The sum with what was added.
        """
        total = self._change(key, amount)
        try:
            yield total
        finally:
            self._change(key, -amount)

    def _change(self, key: Hashable, amount: int) -> int:
        with self._lock:
            self._sums[key] += amount
            total = self._sums[key]
            if not total:
                del self._sums[key]
            return total
