"""The embedded Hub: its events, heard in this process, become submissions within moments."""

from collections.abc import Sequence

from rl_hub.events import feed
from rl_hub.events.feed import Event, Subscriber
from rl_hub.hub import Hub
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.people.people import HUB
from rl_leaderboard.sources import embedded_models, intake
from rl_leaderboard.sources.embedded_models import Model
from rl_leaderboard.submissions import reception, whereabouts

NAME = "leaderboard"
"""Under which the Hub keeps how far this subscriber is."""

_MAIN = "refs/heads/main"
_PAGE = 500


def subscriber(classroom: Classroom) -> Subscriber:
    """What the Hub has to tell its events to.

    A classroom that is new to its Hub reads all of it at the first event: older events may be gone.

    Args:
        classroom: One with an embedded Hub.
    """
    follower = _Follower(classroom)
    return Subscriber(NAME, follower.follow)


def catch_up(classroom: Classroom) -> list[int]:
    """Reads the whole embedded Hub, for a classroom that has missed events; what is not there any more is taken off.

    Returns:
        The ids of the new submissions.
    """
    hub = _hub_of(classroom)
    env_ids = intake.environments(classroom.course)
    new: list[int] = []
    present: set[str] = set()
    last = 0
    while True:
        with hub.database.read() as connection:
            models = embedded_models.page(hub, connection, env_ids, last, _PAGE)
        if not models:
            break
        last = models[-1].id
        visible = [model for model in models if not model.private]
        present |= {model.repo_id.lower() for model in visible}
        new += _take_in(classroom, hub, visible)
    with classroom.read() as connection:
        there = whereabouts.repositories(connection, HUB)
    for repo_id in sorted(there - present):
        with classroom.write() as connection:
            whereabouts.forget(connection, HUB, repo_id)
    return new


def _take_in(classroom: Classroom, hub: Hub, models: Sequence[Model]) -> list[int]:
    """Keeps what is new of models that anybody may see; those that were gone are back."""
    with classroom.write() as connection:
        gone = whereabouts.gone_among(connection, HUB, [model.repo_id for model in models])
        returned = [model for model in models if model.repo_id.lower() in gone]
        with hub.database.read() as hub_connection:
            for model in returned:
                shas = embedded_models.history(hub_connection, model.id)
                whereabouts.find_again(connection, HUB, model.repo_id, among=shas)
        pushes = [model.push for model in models if model.push is not None]
        return reception.receive(connection, classroom.course, pushes, classroom.judged_by)


class _Follower:
    """Follows the events of a classroom's Hub; one that is told again changes nothing."""

    def __init__(self, classroom: Classroom) -> None:
        self._classroom = classroom
        self._hub = _hub_of(classroom)
        with self._hub.database.read() as connection:
            self._is_new = feed.position(connection, NAME) == 0

    def follow(self, event: Event) -> None:
        """Does what an event asks for."""
        if self._is_new:
            catch_up(self._classroom)
            self._is_new = False
        if event.kind != "model":
            return
        if event.action == "delete":
            with self._classroom.write() as connection:
                whereabouts.forget(connection, HUB, event.repo_id)
        elif event.moved_to is not None:
            with self._classroom.write() as connection:
                whereabouts.move(connection, HUB, event.repo_id, event.moved_to)
            self._look(event.repository_id)
        elif event.scope != "repo.content":
            self._look(event.repository_id)
        elif any(updated.ref == _MAIN for updated in event.updated_refs):
            self._look(event.repository_id, event.head_sha)

    def _look(self, repository_id: int, sha: str | None = None) -> None:
        """Takes a model as it is now; its events may be behind."""
        env_ids = intake.environments(self._classroom.course)
        with self._hub.database.read() as connection:
            model = embedded_models.read(self._hub, connection, env_ids, repository_id, sha)
        if model is not None and model.private:
            with self._classroom.write() as connection:
                whereabouts.forget(connection, HUB, model.repo_id)
        elif model is not None:
            _take_in(self._classroom, self._hub, [model])


def _hub_of(classroom: Classroom) -> Hub:
    if classroom.hub is None:
        raise ValueError("This classroom has no embedded Hub.")
    return classroom.hub
