"""Repositories of other Hubs that somebody wants to be read soon: the poller takes them first."""

import threading
from dataclasses import dataclass

# Who asks for more than that has to wait for the next regular look at the whole Hub.
_MOST = 1000


@dataclass(frozen=True)
class WantedRepository:
    """A repository that is to be read.

    Attributes:
        source: The Hub.
        repo_id: owner/name.
        revision: A branch, a tag or a commit; None for the head.
        by_student: Whether its student asks for it, so that what failed is taken in again.
    """

    source: str
    repo_id: str
    revision: str | None = None
    by_student: bool = False


class Wanted:
    """What is wanted and not read yet, each once, in the order in which it was asked for."""

    def __init__(self) -> None:
        self.news = threading.Event()
        self._lock = threading.Lock()
        self._waiting: dict[WantedRepository, None] = {}

    def add(self, repository: WantedRepository) -> bool:
        """Notes a wish, and wakes whoever waits for `news`.

        Returns:
            False if too many are waiting already.
        """
        with self._lock:
            if repository not in self._waiting and len(self._waiting) >= _MOST:
                return False
            self._waiting[repository] = None
        self.news.set()
        return True

    def first(self, source: str) -> WantedRepository | None:
        """The wish at a Hub that has waited longest; it stays until it is done."""
        with self._lock:
            return next((repository for repository in self._waiting if repository.source == source), None)

    def done(self, repository: WantedRepository) -> None:
        """Strikes a wish out."""
        with self._lock:
            self._waiting.pop(repository, None)
