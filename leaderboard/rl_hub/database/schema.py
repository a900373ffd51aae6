"""Bringing a database to the schema that this version of a program uses."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect, text

from rl_hub.database.engine import Database
from rl_hub.errors import CommandError


@dataclass(frozen=True)
class Schema:
    """The migrations of a program.

    Attributes:
        owner: The program, for people.
        head: The newest revision; revisions are numbers with leading zeros.
        migrations: Alembic's folder.
    """

    owner: str
    head: str
    migrations: Path

    def upgrade(self, database: Database) -> None:
        """Runs the migrations that are missing; nothing if there is none.

        Raises:
            CommandError: If the database is newer than this version of the program.
        """
        current = self.version(database)
        if current == self.head:
            return
        if current is not None and current > self.head:
            raise CommandError(
                f"This database is at schema {current}, newer than {self.head}, which this version of {self.owner} "
                f"knows. Install the newer version of {self.owner}."
            )
        # Only a database that has to change pays for Alembic's import.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(self.migrations).replace("%", "%%"))
        with database.write() as connection:
            database.lock_schema(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def version(self, database: Database) -> str | None:
        """The database's schema; None if it is empty."""
        with database.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


HUB = Schema("the Hub", "0001", Path(__file__).parent / "migrations")
