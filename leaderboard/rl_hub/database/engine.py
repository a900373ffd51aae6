"""Transactions on SQLite or PostgreSQL, with one meaning on both.

SQLite's driver starts no transaction before the first write, so that two readers who then write lose updates
silently. Here every transaction starts explicitly, and one that writes takes the write lock at once.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from rl_hub.database import tables
from rl_hub.errors import DISK_FULL, Busy, StorageFull

_BACKENDS = ("sqlite", "postgresql")
# Seconds that a writer waits for the one before it.
_SQLITE_WAIT = 60
# Any number will do that no other advisory lock of the Hub uses.
_SCHEMA_LOCK = 2
_BLOB_LOCKS = 1000
# Parameters hold digests and secrets, which belong into no log.
_OPTIONS = {"pool_size": 10, "max_overflow": 40, "pool_timeout": 60, "hide_parameters": True}
# SQLSTATEs of a transaction that may be tried again: serialization failure, deadlock.
_CONFLICTS = {"40001", "40P01"}


class Database:
    """A database.

    Args:
        url: An SQLAlchemy URL.
        cache_kib: KiB of pages that each connection of SQLite keeps; the system keeps the whole file anyway.
    """

    def __init__(self, url: str, cache_kib: int = 8000) -> None:
        self.url = make_url(url)
        if self.url.get_backend_name() not in _BACKENDS:
            raise ArgumentError(f"The database is SQLite or PostgreSQL, not {self.url.get_backend_name()}.")
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            _make_private(self.url)
            self._reader = _sqlite_engine(url, "BEGIN", cache_kib)
            self._writer = _sqlite_engine(url, "BEGIN IMMEDIATE", cache_kib)
        else:
            self._writer = create_engine(url, pool_pre_ping=True, **_OPTIONS)
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database throughout."""
        with self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes: kept as a whole at the end, or not at all after an exception.

        Raises:
            StorageFull: If the disk has no room for it.
            Busy: If others have kept it waiting for too long, or got in its way.
        """
        try:
            with self._writer.begin() as connection:
                yield connection
        except OperationalError as error:
            if _is_full(error):
                raise StorageFull(DISK_FULL) from error
            if _is_busy(error):
                raise Busy from error
            raise

    def lock_schema(self, connection: Connection) -> None:
        """Keeps other processes from changing the tables until the transaction ends."""
        if not self.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _SCHEMA_LOCK})

    def lock_repository(self, connection: Connection, repository_id: int) -> None:
        """Keeps other commits to this repository waiting until the transaction ends."""
        if not self.is_sqlite:
            connection.execute(
                # Weaker than FOR UPDATE: rows that only refer to the repository need not wait.
                select(tables.repositories.c.id)
                .where(tables.repositories.c.id == repository_id)
                .with_for_update(key_share=True)
            )

    def lock_blob(self, connection: Connection, sha256: str) -> None:
        """Keeps a content from being published and removed at the same time, until the transaction ends."""
        if not self.is_sqlite:
            # One lock for many contents: PostgreSQL has room for some thousand locks, and a commit may have more files.
            # The first bits keep the order, in which those who lock several contents take them.
            number = _BLOB_LOCKS + (int(sha256[:3], 16) >> 2)
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})

    def bury_unfinished(self, connection: Connection) -> None:
        """Makes sure that no transaction of a killed process comes back once this one has ended.

        SQLite counts a commit when it is in the log, but tells other processes a moment later. A process killed in
        between leaves a commit that nobody sees, until the log is read again from its start. Any write takes its place
        in the log; this one changes a number in the file's header that the Hub has no other use for.
        """
        if self.is_sqlite:
            number = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            connection.exec_driver_sql(f"PRAGMA user_version = {(number + 1) % 2**31}")

    def close(self) -> None:
        """Gives all connections back."""
        self._reader.dispose()
        self._writer.dispose()


def insert_ignore(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows; those whose key is there already stay as they are."""
    if not rows:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(table).on_conflict_do_nothing(), list(rows))


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows, all with the same columns; one whose primary key is there already takes its place."""
    if not rows:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table)
    keys = [column.name for column in table.primary_key.columns]
    values = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), list(rows))


def _make_private(url: URL) -> None:
    """Makes the file of a new SQLite database: SQLite itself would let everybody read it.

    What SQLite puts beside the file gets the same rights. A file that is there is not even opened: closing it would
    take away the locks that other connections of this process have on it.
    """
    if url.database and url.database != ":memory:" and not url.database.startswith("file:"):
        # Whatever is wrong with the place is told by SQLite at the first use.
        with contextlib.suppress(OSError):
            os.close(os.open(url.database, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _sqlite_engine(url: str, begin: str, cache_kib: int) -> Engine:
    engine = create_engine(
        url, connect_args={"timeout": _SQLITE_WAIT, "check_same_thread": False, "isolation_level": None}, **_OPTIONS
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # FULL: an answered write survives a power cut, not only a killed process.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"cache_size=-{cache_kib}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _is_busy(error: OperationalError) -> bool:
    return "database is locked" in str(error.orig) or getattr(error.orig, "sqlstate", None) in _CONFLICTS


def _is_full(error: OperationalError) -> bool:
    message = str(error.orig).lower()
    return "disk is full" in message or "no space left" in message or "disk full" in message
