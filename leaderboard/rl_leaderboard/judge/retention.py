"""Films that nobody needs any more go; games and scores stay for ever.

The film of the evaluation that counts stays as long as that counts. One that another has taken the place of goes after
`RL_LEADERBOARD_KEEP_FILMS_DAYS`, and so does what a worker has left behind that was killed while it filmed.
"""

from datetime import timedelta

from sqlalchemy import select, update

from rl_hub import clock
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.database.tables import evaluations, submissions

EVERY_SECONDS = 3600.0


class Sweeper:
    """Removes films, a step each time that it is asked.

    A file goes only if nobody has named it the last time either: a verdict that is about to be published, or a backup
    that is being written, has that long to end.

    Args:
        classroom: Whose films.
    """

    def __init__(self, classroom: Classroom) -> None:
        self._classroom = classroom
        self._unnamed: frozenset[str] = frozenset()

    def sweep(self) -> int:
        """Forgets old films, and removes the files that nobody has named for a while; returns how many files."""
        self._forget()
        unnamed = self._find_unnamed()
        gone = unnamed & self._unnamed
        for name in gone:
            (self._classroom.files / name).unlink(missing_ok=True)
        self._unnamed = unnamed - gone
        return len(gone)

    def _forget(self) -> None:
        before = clock.now() - timedelta(days=self._classroom.settings.keep_films_days)
        counting = select(submissions.c.evaluation_id).where(submissions.c.evaluation_id.is_not(None))
        old = evaluations.c.finished_at < before, evaluations.c.replay.is_not(None), evaluations.c.id.not_in(counting)
        with self._classroom.read() as connection:
            if connection.scalar(select(evaluations.c.id).where(*old).limit(1)) is None:
                return
        with self._classroom.write() as connection:
            connection.execute(update(evaluations).where(*old).values(replay=None))

    def _find_unnamed(self) -> frozenset[str]:
        if not self._classroom.files.is_dir():
            return frozenset()
        there = {path.name for path in self._classroom.files.iterdir() if path.suffix == ".mp4"}
        with self._classroom.read() as connection:
            named = set(connection.scalars(select(evaluations.c.replay).where(evaluations.c.replay.is_not(None))))
        return frozenset(there - {f"{sha256}.mp4" for sha256 in named})
