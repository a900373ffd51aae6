"""Bringing a database to the schema that this version of the Hub uses."""

from pathlib import Path

from sqlalchemy import inspect, text

from rl_hub.database.engine import Database
from rl_hub.errors import CommandError

HEAD = "0001"
MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Database) -> None:
    """Runs the migrations that are missing; nothing if there is none.

    Raises:
        CommandError: If the database is newer than this version of the Hub.
    """
    current = version(database)
    if current == HEAD:
        return
    if current is not None and current > HEAD:
        raise CommandError(
            f"This database is at schema {current}, newer than {HEAD}, which this version of the Hub knows. "
            "Install the newer version of the Hub."
        )
    # Only a database that has to change pays for Alembic's import.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with database.write() as connection:
        database.lock_schema(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def version(database: Database) -> str | None:
    """The database's schema; None if it is empty."""
    with database.read() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
