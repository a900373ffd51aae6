"""The leaderboard's tables and the migrations that lead to them, on both databases, empty and with data."""

import contextlib

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, Float, Integer, MetaData, Table, inspect, select, text

from leaderboard_databases import ENGINES, postgresql  # noqa: F401  a fixture
from rl_hub import clock
from rl_hub.database.columns import UtcDateTime
from rl_hub.database.engine import Database
from rl_hub.errors import CommandError
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.database.schema import LEADERBOARD
from rl_leaderboard.database.tables import metadata
from rl_leaderboard.settings import Settings


def configuration(connection=None):
    config = Config()
    config.set_main_option("script_location", str(LEADERBOARD.migrations))
    config.attributes["connection"] = connection
    return config


# From the oldest to the newest.
REVISIONS = [script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()][::-1]
# What a column with a choice of words may hold in every revision.
WORDS = {"counting": "best", "state": "received", "kind": "received", "level": "completion", "review": "pending"}


@pytest.fixture(params=ENGINES)
def new_database(request, tmp_path):
    """Opens databases without any table."""
    with contextlib.ExitStack() as stack:

        def open_database():
            if request.param == "sqlite":
                url = f"sqlite:///{tmp_path / f'{len(list(tmp_path.iterdir()))}.sqlite'}"
            else:
                url = request.getfixturevalue("postgresql").create_database()
            opened = stack.enter_context(contextlib.closing(Database(url)))
            LEADERBOARD.version(opened)  # a file of SQLite's is there once it was asked
            return opened

        yield open_database


@pytest.fixture
def database(new_database):
    return new_database()


def test_the_migrations_lead_to_the_tables_of_the_code(database):
    LEADERBOARD.upgrade(database)

    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_migrations_lead_to_the_checks_of_the_code(new_database):
    """Alembic compares no checks, which keep NaN and unknown words out."""
    migrated, made = new_database(), new_database()
    LEADERBOARD.upgrade(migrated)
    with made.write() as connection:
        metadata.create_all(connection)

    assert checks(migrated) == checks(made)
    assert {"ck_standings_minus_score", "ck_people_role"} <= {name for name, _ in checks(migrated)}


def checks(database):
    with database.read() as connection:
        inspector = inspect(connection)
        return {
            (check["name"], check["sqltext"])
            for table in metadata.tables
            for check in inspector.get_check_constraints(table)
        }


def test_the_newest_migration_is_the_one_that_the_code_asks_for():
    assert REVISIONS[-1] == LEADERBOARD.head


def test_a_second_upgrade_changes_nothing(database):
    LEADERBOARD.upgrade(database)
    LEADERBOARD.upgrade(database)

    assert LEADERBOARD.version(database) == LEADERBOARD.head


def test_a_database_of_a_newer_leaderboard_is_left_alone_with_a_sentence(database, tmp_path):
    settings = Settings(tmp_path, database_url=database.url.render_as_string(hide_password=False))
    Classroom.open(settings).close()
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(CommandError, match="Install the newer version of the leaderboard"):
        Classroom.open(settings)


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_database_of_every_earlier_version_is_upgraded_with_its_rows(database, revision):
    with database.write() as connection:
        command.upgrade(configuration(connection), revision)
    with database.write() as connection:
        tables = MetaData()
        tables.reflect(connection)
        known = [table for table in tables.sorted_tables if table.name != "alembic_version"]
        for table in known:
            connection.execute(table.insert().values(a_row(table)))

    LEADERBOARD.upgrade(database)

    with database.read() as connection:
        counts = {table.name: len(connection.execute(select(table)).all()) for table in metadata.sorted_tables}
    assert {table.name: counts[table.name] for table in known if table.name in counts} == {
        table.name: 1 for table in known
    }
    assert {"people", "submissions", "evaluations", "standings"} <= {table.name for table in known}


def a_row(table: Table) -> dict:
    """A row that refers to the only row of every other table."""
    return {column.name: a_value(table, column) for column in table.columns if not column.nullable}


def a_value(table, column):
    if column.foreign_keys:
        (reference,) = column.foreign_keys
        column = reference.column
    if column.name == "role":
        return "read" if table.name == "tokens" else "student"
    if column.name in WORDS and not isinstance(column.type, Integer):
        return WORDS[column.name]
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, (Integer, Float)):
        return 1
    is_time = isinstance(column.type, UtcDateTime) or column.type.python_type.__name__ == "datetime"
    return clock.now() if is_time else "1"


def test_what_was_judged_before_the_file_was_noted_keeps_its_score(database):
    with database.write() as connection:
        command.upgrade(configuration(connection), "0001")
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if table.name in ("assignments", "submissions", "evaluations"):
                connection.execute(table.insert().values(a_row(table)))

    LEADERBOARD.upgrade(database)

    evaluations = metadata.tables["evaluations"]
    with database.read() as connection:
        row = connection.execute(select(evaluations.c.score, evaluations.c.judged_file)).one()
    assert tuple(row) == (1.0, None)
