"""A Hub: its settings, its database, its blobs and its secret, opened together."""

import os
import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path

from rl_hub.blobs import BlobStore
from rl_hub.database.engine import Database
from rl_hub.database.schema import HUB
from rl_hub.settings import Settings


@dataclass(frozen=True)
class Hub:
    """What every part of the Hub works on.

    Attributes:
        settings: What the operator decided.
        database: Everything but the contents of files.
        blobs: The contents of files.
        secret: 32 random bytes of this Hub, for signed addresses and forms.
        wakeup: Set when there are new events to tell.
    """

    settings: Settings
    database: Database
    blobs: BlobStore
    secret: bytes
    wakeup: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def open(cls, settings: Settings) -> "Hub":
        """Opens the Hub of a data folder, which is created if it is not there; the schema is brought up to date."""
        # Others with an account on this machine must not read password hashes and private repositories.
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = Database(settings.resolved_database_url)
        try:
            HUB.upgrade(database)
        except BaseException:
            database.close()
            raise
        return cls(settings, database, BlobStore(settings.data, database), read_secret(settings.data / "secret.key"))

    def close(self) -> None:
        """Closes the database."""
        self.database.close()

    def wake(self) -> None:
        """Says that there are new events to tell."""
        self.wakeup.set()


def read_secret(path: Path) -> bytes:
    """The secret of a data folder, 32 random bytes: made on the first start and readable by its owner only."""
    if not path.exists():
        new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
            os.fsync(file.fileno())
        try:
            # Unlike a rename, a link does not replace a secret that another process has just made.
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return path.read_bytes()
