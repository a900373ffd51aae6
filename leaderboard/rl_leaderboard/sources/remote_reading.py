"""Reading another Hub: what is new, all of it, or one repository."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rl_hub import clock
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import TooManyRequests
from rl_leaderboard.sources import intake, remote_models, states
from rl_leaderboard.sources.remote import PAGE, RemoteHub
from rl_leaderboard.sources.remote_models import Listed
from rl_leaderboard.submissions import reception, whereabouts
from rl_leaderboard.submissions.wanted import WantedRepository

# So many may all have been deleted since yesterday.
_FEW = 3
# How many repositories that are in no list are looked for in one night.
_MOST_ASKED = 200


@dataclass(frozen=True)
class Reader:
    """Reads a Hub into a classroom; every method opens transactions of its own.

    Attributes:
        classroom: Where what is read is kept.
        hub: The Hub.
        source: Its name.
        page: Models in one answer.
    """

    classroom: Classroom
    hub: RemoteHub
    source: str
    page: int = PAGE

    def read_news(self) -> list[int]:
        """What has changed since it was read last: one request for each environment if nothing has.

        Returns:
            The ids of the new submissions.

        Raises:
            HubProblem: If the Hub cannot be read to the end.
        """
        new: list[int] = []
        for env_id in self._env_ids:
            for numbers, _ in self._pages(env_id, everything=False):
                new += numbers
        return new

    def sweep(self) -> tuple[list[int], str]:
        """All of it; repositories that it does not show any more are taken off the boards.

        Returns:
            The ids of the new submissions, and what is odd, a sentence, or nothing.

        Raises:
            HubProblem: If the Hub cannot be read to the end; then nothing is taken off.
        """
        new: list[int] = []
        present: set[str] = set()
        for env_id in self._env_ids:
            for numbers, listed in self._pages(env_id, everything=True):
                new += numbers
                present |= {model.repo_id.lower() for model in listed if not model.private}
        with self.classroom.read() as connection:
            known = whereabouts.repositories(connection, self.source)
        if not present and len(known) > _FEW:
            return new, f"{self.source} lists no model any more, so its {len(known)} repositories stay as they are."
        missing = sorted(known - present)
        # By chance, so that all have their turn.
        for repo_id in random.sample(missing, min(len(missing), _MOST_ASKED)):
            new += self.read_one(WantedRepository(self.source, repo_id))
        return new, ""

    def read_one(self, wanted: WantedRepository) -> list[int]:
        """One repository, which may have been deleted, hidden or moved.

        Returns:
            The ids of the new submissions.

        Raises:
            HubProblem: If the Hub does not answer.
        """
        model = remote_models.read(self.hub.model(wanted.repo_id, wanted.revision), self.source, self._env_ids)
        if model is None and wanted.revision is not None:
            return []
        if model is None or model.private:
            with self.classroom.write() as connection:
                whereabouts.forget(connection, self.source, wanted.repo_id)
            return []
        if model.repo_id.lower() != wanted.repo_id.lower():
            with self.classroom.write() as connection:
                whereabouts.move(connection, self.source, wanted.repo_id, model.repo_id)
        new = intake.take_in(self.classroom, self.source, [model.push])
        if wanted.by_student:
            self._take_again(model)
        return new

    @property
    def _env_ids(self) -> tuple[str, ...]:
        return intake.environments(self.classroom.course)

    def _pages(self, env_id: str, *, everything: bool) -> Iterator[tuple[list[int], list[Listed]]]:
        """Takes in page by page, up to what was read before; then notes how far that was."""
        with self.classroom.read() as connection:
            state = states.read(connection, self.source, env_id)
        newest: Listed | None = None
        for entries in self.hub.pages(env_id, self.page):
            models = (remote_models.read(entry, self.source, self._env_ids) for entry in entries)
            listed = [model for model in models if model is not None]
            newest = newest or next(iter(listed), None)
            pushes = [model.push for model in listed if not model.private]
            yield intake.take_in(self.classroom, self.source, pushes), listed
            if not everything and _reaches_what_is_known(listed, state):
                break
        if newest is not None:
            # A time in the future would hide what comes before it.
            modified = min(newest.modified, clock.now())
            with self.classroom.write() as connection:
                states.write(connection, replace(state, newest_modified=modified, newest_seen=newest.version))

    def _take_again(self, model: Listed) -> None:
        """What has failed is taken in again, as its student asks, if the day's quota has room."""
        with self.classroom.write() as connection:
            for submission in reception.of_commit(connection, self.source, model.repo_id, model.push.sha):
                try:
                    reception.take_again(connection, submission, self.classroom.judged_by)
                except TooManyRequests:
                    continue


def _reaches_what_is_known(page: Sequence[Listed], state: states.SourceState) -> bool:
    """Whether everything that follows a page was read before."""
    if not page or state.newest_modified is None:
        return False
    return page[-1].modified < state.newest_modified or any(model.version == state.newest_seen for model in page)
