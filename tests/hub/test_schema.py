import os
import sqlite3
import stat

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from rl_hub import clock
from rl_hub.accounts import users
from rl_hub.database.engine import Database
from rl_hub.database.schema import HUB
from rl_hub.database.tables import blobs, metadata
from rl_hub.errors import Busy, CommandError
from rl_hub.hub import Hub
from rl_hub.settings import Settings


@pytest.fixture
def database(tmp_path):
    opened = Database(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    yield opened
    opened.close()


def test_the_migrations_lead_to_the_tables_of_the_code(database):
    HUB.upgrade(database)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_newest_migration_is_the_one_that_the_code_asks_for():
    config = Config()
    config.set_main_option("script_location", str(HUB.migrations))
    assert ScriptDirectory.from_config(config).get_current_head() == HUB.head


def test_only_the_owner_may_read_a_new_database_and_what_lies_beside_it(database, tmp_path):
    HUB.upgrade(database)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("hub.sqlite", "hub.sqlite-wal", "hub.sqlite-shm"), 0o600) or os.name == "nt"


def test_a_database_that_is_there_keeps_the_rights_that_its_owner_gave_it(tmp_path):
    file = tmp_path / "hub.sqlite"
    file.touch()
    file.chmod(0o640)
    opened = Database(f"sqlite:///{file}")
    HUB.upgrade(opened)
    opened.close()

    assert stat.S_IMODE(file.stat().st_mode) == 0o640 or os.name == "nt"


def test_an_empty_database_has_no_version(database):
    assert HUB.version(database) is None


def test_a_second_upgrade_changes_nothing(database):
    HUB.upgrade(database)
    HUB.upgrade(database)
    assert HUB.version(database) == HUB.head


def test_a_database_of_a_newer_hub_is_left_alone_with_a_sentence(tmp_path):
    Hub.open(Settings(tmp_path)).close()
    with sqlite3.connect(tmp_path / "hub.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(CommandError, match="Install the newer version of the Hub"):
        Hub.open(Settings(tmp_path))


def test_writers_wait_for_each_other(database):
    with database.write() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_a_writer_that_waits_too_long_is_told_to_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr("rl_hub.database.engine._SQLITE_WAIT", 0)
    database = Database(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    with database.write(), pytest.raises(Busy) as refused, database.write():
        pass
    database.close()
    assert refused.value.headers == {"Retry-After": "3"}


def test_a_failed_statement_is_told_without_its_values(database):
    HUB.upgrade(database)
    row = {"sha256": "private-value", "size": -1, "created_at": clock.now()}
    with pytest.raises(IntegrityError) as failed, database.write() as connection:
        connection.execute(insert(blobs).values(row))
    assert "private-value" not in str(failed.value)


def test_no_number_of_an_account_is_given_out_twice(tmp_path):
    hub = Hub.open(Settings(tmp_path))
    with hub.database.write() as connection:
        first = users.create(connection, "ada")
        users.remove(connection, first)
        assert users.create(connection, "bob").id > first.id
    hub.close()


def test_a_transaction_that_buries_others_writes_to_the_log(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    HUB.upgrade(database)
    before = (tmp_path / "hub.sqlite-wal").stat().st_size
    with database.write() as connection:
        database.bury_unfinished(connection)
    assert (tmp_path / "hub.sqlite-wal").stat().st_size > before
    database.close()
