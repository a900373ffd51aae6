"""Cards that were rendered are kept, because rendering takes long: seconds for the worst that anybody can write.

Whoever wants a card that is being rendered waits for it, and few are rendered at once, so that worker threads are left
for everything else.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Semaphore

from markupsafe import Markup

from rl_hub.errors import Busy
from rl_hub.settings import MIB

Key = tuple[str, str]
"""The content's SHA-256, and the address that links in it start with."""


class KeptCards:
    """Rendered cards, those used last; shared by all threads."""

    def __init__(self, room: int = 32 * MIB, at_once: int = 2, most: int = 10) -> None:
        """Makes it empty.

        Args:
            room: Bytes of HTML that are kept.
            at_once: Cards that are rendered at the same time.
            most: Cards that are rendered or wait for it.
        """
        self._room, self._most = room, most
        self._lock = Lock()
        self._slots = Semaphore(at_once)
        self._kept: OrderedDict[Key, Markup] = OrderedDict()
        self._used = 0
        self._expected: dict[Key, Future[Markup]] = {}

    def get(self, key: Key, render: Callable[[], Markup]) -> Markup:
        """A card, rendered now unless it is kept.

        Raises:
            Busy: If too many others wait for theirs.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            expected = self._expected.get(key)
            if expected is None:
                if len(self._expected) >= self._most:
                    raise Busy
                mine = self._expected[key] = Future()
        return expected.result() if expected else self._render(key, render, mine)

    def _render(self, key: Key, render: Callable[[], Markup], result: Future[Markup]) -> Markup:
        try:
            with self._slots:
                html = render()
        except BaseException as error:
            with self._lock:
                del self._expected[key]
            result.set_exception(error)
            raise
        with self._lock:
            del self._expected[key]
            self._keep(key, html)
        result.set_result(html)
        return html

    def _keep(self, key: Key, html: Markup) -> None:
        self._kept[key] = html
        self._used += sys.getsizeof(html)
        while self._used > self._room:
            self._used -= sys.getsizeof(self._kept.popitem(last=False)[1])
