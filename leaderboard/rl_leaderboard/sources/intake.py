"""What every source does with what it has read."""

from collections import defaultdict
from collections.abc import Sequence

from rl_leaderboard.classroom import Classroom
from rl_leaderboard.submissions import reception, whereabouts
from rl_leaderboard.submissions.reception import Push
from rl_units.course import Course

# In one transaction: others wait to write meanwhile.
_CHUNK = 500


def environments(course: Course) -> tuple[str, ...]:
    """The ids under which cards name the course's environments, aliases included."""
    return tuple(env_id for assignment in course.assignments for env_id in (assignment.env_id, *assignment.aliases))


def take_in(classroom: Classroom, source: str, pushes: Sequence[Push]) -> list[int]:
    """Keeps what is new; heads of repositories that were gone are back.

    Args:
        classroom: Where; a transaction is opened for a few hundred pushes each.
        source: The Hub that they all come from.
        pushes: Heads of repositories that anybody may see.

    Returns:
        The ids of the new submissions.
    """
    new: list[int] = []
    for start in range(0, len(pushes), _CHUNK):
        chunk = pushes[start : start + _CHUNK]
        shas: defaultdict[str, set[str]] = defaultdict(set)
        for push in chunk:
            shas[push.repo_id.lower()].add(push.sha)
        with classroom.write() as connection:
            for repo_key in whereabouts.gone_among(connection, source, shas):
                # Earlier commits may be of a repository of the same name that was deleted: nothing tells them apart.
                whereabouts.find_again(connection, source, repo_key, among=shas[repo_key])
            new += reception.receive(connection, classroom.course, chunk, classroom.judged_by)
    return new
