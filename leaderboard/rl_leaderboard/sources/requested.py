"""A student asks that a repository of theirs be read now: a commit by name, or one that was over the quota."""

from dataclasses import dataclass

from sqlalchemy import Connection

from rl_hub.accounts import organisations, permissions, users
from rl_hub.accounts.identity import Identity
from rl_hub.errors import NotFound as HubNotFound
from rl_hub.hub import Hub
from rl_hub.names import shown
from rl_hub.repositories import catalog, revisions
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import BadRequest, Forbidden, NotFound, TooManyRequests
from rl_leaderboard.people.people import HUB, Person
from rl_leaderboard.rules.sources import is_repo_id, source_name
from rl_leaderboard.sources import embedded_models, intake
from rl_leaderboard.submissions import reception, whereabouts
from rl_leaderboard.submissions.reception import Push
from rl_leaderboard.submissions.submissions import Submission
from rl_leaderboard.submissions.wanted import MOST_EACH, WantedRepository

_LONGEST_REVISION = 200


def request(classroom: Classroom, person: Person, repo_id: str, revision: str | None = None) -> Submission | None:
    """Takes in one of a person's own repositories; opens transactions of its own.

    Args:
        classroom: Where.
        person: Who asks.
        repo_id: owner/name, on the Hub that the person's account is of.
        revision: A branch, a tag or a commit; None for the newest.

    Returns:
        The submission; None if the repository lies on another Hub, which is asked soon.

    Raises:
        BadRequest: If the names are none, the repository is private, or its card names no assignment.
        Forbidden: If it is somebody else's, or nobody vouches for the person's account on a Hub.
        NotFound: If there is no such repository or revision.
        TooManyRequests: If today's quota is used up, or too many are waiting.
    """
    if not is_repo_id(repo_id):
        raise BadRequest(f"{shown(repo_id)} is no repository: write owner/name.")
    if revision is not None and not (0 < len(revision) <= _LONGEST_REVISION and revision.isprintable()):
        raise BadRequest(f"{shown(revision)} is no revision: name a branch, a tag or a commit.")
    if person.source is None:
        raise Forbidden("Nobody vouches for your account on a Hub, so it is not known which repositories are yours.")
    if person.source == HUB and classroom.hub is not None:
        return _take_in(classroom, classroom.hub, person, repo_id, revision)
    _ask_for(classroom, person.source, person, repo_id, revision)
    return None


def _ask_for(classroom: Classroom, source: str, person: Person, repo_id: str, revision: str | None) -> None:
    """Notes for the poller what lies on another Hub; who belongs to an organisation there is not known here."""
    if source not in {source_name(address) for address in classroom.settings.sources}:
        raise BadRequest(f"Your account is of {source}, and this classroom does not read that Hub.")
    if repo_id.partition("/")[0].lower() != person.key:
        raise _not_yours(repo_id, person)
    if not classroom.wanted.add(WantedRepository(source, repo_id, revision, by_student=True)):
        raise TooManyRequests(
            f"Too many repositories are waiting to be read, or {MOST_EACH} of yours are. Try again in a few minutes."
        )


def _take_in(classroom: Classroom, hub: Hub, person: Person, repo_id: str, revision: str | None) -> Submission:
    with hub.database.read() as connection:
        found = _find(hub, connection, classroom, person, repo_id, revision)
    with classroom.write() as connection:
        whereabouts.find_again(connection, HUB, found.push.repo_id, among=found.history)
        reception.receive(connection, classroom.course, [found.push], classroom.judged_by)
        taken = reception.of_commit(connection, HUB, found.push.repo_id, found.push.sha)
        again = [reception.take_again(connection, submission, classroom.judged_by) for submission in taken]
    return again[0]


@dataclass(frozen=True)
class _Found:
    push: Push
    history: tuple[str, ...]


def _find(
    hub: Hub, connection: Connection, classroom: Classroom, person: Person, repo_id: str, revision: str | None
) -> _Found:
    """The commit that is asked for.

    Raises:
        BadRequest: If it cannot stand on a board.
        Forbidden: If it is somebody else's.
        NotFound: If there is none.
    """
    identity = _identity(connection, person)
    try:
        repository = catalog.find(connection, identity, "model", repo_id)
        sha = revisions.resolve(connection, repository, revision or revisions.MAIN)
    except HubNotFound as error:
        raise NotFound(error.message) from None
    if not permissions.belongs(identity, repository.owner_name, "admin", "write"):
        raise _not_yours(repository.repo_id, person)
    if repository.private:
        raise BadRequest(f"{repository.repo_id} is private, and boards are public: make it public, then try again.")
    env_ids = intake.environments(classroom.course)
    model = embedded_models.read(hub, connection, env_ids, repository.id, sha)
    if model is None or model.push is None:
        raise BadRequest(
            f"The card of {repository.repo_id} names no assignment of this course: its README.md has to have the "
            "environment among its tags, or a result for it."
        )
    return _Found(model.push, tuple(embedded_models.history(connection, repository.id)))


def _identity(connection: Connection, person: Person) -> Identity:
    """Who the person is on the embedded Hub."""
    user = users.find(connection, person.name)
    if user is None:
        raise Forbidden(f"The class's Hub has no account {person.name} any more.")
    return Identity(user.id, user.name, "read", organisations=organisations.roles_of(connection, user.id))


def _not_yours(repo_id: str, person: Person) -> Forbidden:
    return Forbidden(f"{repo_id} is not yours: hand in a repository of {person.name}, or of an organisation of yours.")
