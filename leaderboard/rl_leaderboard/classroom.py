"""A classroom: its settings, its database, its course and its secret, opened together."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from rl_hub.database.engine import Database
from rl_hub.hub import Hub, read_secret
from rl_leaderboard.activity.feed import RECORDED
from rl_leaderboard.boards import assignments, generations
from rl_leaderboard.database.schema import LEADERBOARD
from rl_leaderboard.jobs import Queue, open_queue
from rl_leaderboard.settings import Settings
from rl_leaderboard.submissions.wanted import Wanted
from rl_units.course import Course, load_course

# Every thread that answers requests has a connection.
_CACHE_KIB = 1000


@dataclass(frozen=True)
class Classroom:
    """What every part of the leaderboard works on.

    Attributes:
        settings: What the operator decided.
        database: Everything but videos.
        course: The units and their assignments.
        secret: 32 random bytes of this classroom, for forms and for the judge's seeds.
        queue: Where submissions wait for the judge.
        hub: The embedded Hub; None if there is none.
        wakeup: Set when there is new activity to tell.
        generations: How often what pages show has changed, as far as this process knows.
        wanted: Repositories of other Hubs that are to be read soon.
    """

    settings: Settings
    database: Database
    course: Course
    secret: bytes
    queue: Queue
    hub: Hub | None = None
    wakeup: threading.Event = field(default_factory=threading.Event)
    generations: dict[str, int] = field(default_factory=dict)
    wanted: Wanted = field(default_factory=Wanted)

    @property
    def judged_by(self) -> Queue | None:
        """Where what comes waits to be measured; None if nobody measures it."""
        return self.queue if self.settings.judge else None

    @classmethod
    def open(cls, settings: Settings, course: Course | None = None, hub: Hub | None = None) -> "Classroom":
        """Opens the classroom of a data folder, which is created if it is not there; the schema is brought up to date.

        Args:
            settings: What the operator decided.
            course: The units; None takes those of the package.
            hub: An open Hub whose accounts and events are used; the caller closes it.
        """
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = Database(settings.resolved_database_url, _CACHE_KIB)
        try:
            LEADERBOARD.upgrade(database)
            course = course or load_course()
            assignments.follow_course(database, course)
            queue = open_queue(database, settings.judge_queue)
        except BaseException:
            database.close()
            raise
        return cls(settings, database, course, read_secret(settings.data / "secret.key"), queue, hub)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database throughout."""
        with self.database.read() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; after it, pages that it has changed are known to be out of date.

        Raises:
            StorageFull: If the disk has no room for it.
            Busy: If others have kept it waiting for too long.
        """
        with self.database.write() as connection:
            # The connection comes from a pool, and may have been used by a transaction that failed.
            connection.info.pop(generations.BUMPED, None)
            connection.info.pop(RECORDED, None)
            yield connection
            changed = bool(connection.info.pop(generations.BUMPED, None))
            told = bool(connection.info.pop(RECORDED, None))
        if changed:
            self.look_again()
        if told:
            self.wake()

    def look_again(self) -> None:
        """Finds out which pages have changed, in this process or in another."""
        with self.read() as connection:
            self.generations.update(generations.read_all(connection))

    @property
    def files(self) -> Path:
        """The folder of the judge's videos; see `video`."""
        return self.settings.data / "files"

    def video(self, sha256: str) -> Path:
        """Where the judge's video with this SHA-256, in small hexadecimal digits, lies: it is served by this name."""
        return self.files / f"{sha256}.mp4"

    def close(self) -> None:
        """Closes the database."""
        self.database.close()

    def wake(self) -> None:
        """Says that there is new activity to tell."""
        self.wakeup.set()
