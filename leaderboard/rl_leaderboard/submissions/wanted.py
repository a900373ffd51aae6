"""Repositories of other Hubs that somebody wants to be read soon: the poller takes them first."""

import threading
from dataclasses import dataclass

MOST_EACH = 5
"""So many of one owner's repositories may wait because their student asks."""

# Of students, and of Hubs. Who asks for more than that has to wait for the next regular look at the whole Hub.
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

    @property
    def owner(self) -> tuple[str, str]:
        """Whose turn it is."""
        return self.source, self.repo_id.partition("/")[0].lower()


class Wanted:
    """What is wanted and not read yet, each once: every owner in turn, and each one's in the order of asking."""

    def __init__(self) -> None:
        self.news = threading.Event()
        self._lock = threading.Lock()
        self._waiting: dict[WantedRepository, None] = {}

    def add(self, repository: WantedRepository) -> bool:
        """Notes a wish, and wakes whoever waits for `news`.

        Returns:
            False if too many are waiting already, of the owner or of everybody.
        """
        with self._lock:
            if repository not in self._waiting and not self._has_room(repository):
                return False
            self._waiting[repository] = None
        self.news.set()
        return True

    def first(self, source: str) -> WantedRepository | None:
        """The wish at a Hub whose turn it is; it stays until it is done."""
        with self._lock:
            return next((repository for repository in self._waiting if repository.source == source), None)

    def done(self, repository: WantedRepository) -> None:
        """Strikes a wish out; others of its owner stand behind everybody else's now."""
        with self._lock:
            self._waiting.pop(repository, None)
            for other in [other for other in self._waiting if other.owner == repository.owner]:
                self._waiting[other] = self._waiting.pop(other)

    def _has_room(self, repository: WantedRepository) -> bool:
        """What Hubs tell by themselves takes no room from students, and the other way round."""
        alike = [other for other in self._waiting if other.by_student is repository.by_student]
        if repository.by_student and sum(other.owner == repository.owner for other in alike) >= MOST_EACH:
            return False
        return len(alike) < _MOST
