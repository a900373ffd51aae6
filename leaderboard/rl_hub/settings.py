"""What an operator decides: where data lives, under which address, and how much is allowed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from rl_hub.errors import CommandError

KIB, MIB, GIB = 2**10, 2**20, 2**30
# What an operator may set by name; the other limits follow from the protocol.
QUOTAS = ("file", "repository", "user")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)


@dataclass(frozen=True)
class Limits:
    """How much one request, file, repository or user may take; bytes unless the name says otherwise.

    Attributes:
        regular_bytes: A larger file is sent by LFS or Xet; up to this it travels in the commit's body, base64.
        file_bytes: One file.
        repository_bytes: All files that any commit of a repository holds, each content counted once.
        user_bytes: All repositories of a user or an organisation.
        json_bytes: A JSON body.
        commit_bytes: The body of a commit.
        commit_lines: Operations in a commit.
        card_bytes: A model card's metadata.
        xorb_bytes: One xorb. The Xet specification allows 64 MiB of content; the rest is framing.
        shard_bytes: One Xet shard.
        page_size: Entries in a page of a listing, at most.
    """

    regular_bytes: int = 5 * MIB
    file_bytes: int = 5 * GIB
    repository_bytes: int = 20 * GIB
    user_bytes: int = 50 * GIB
    json_bytes: int = MIB
    commit_bytes: int = GIB
    commit_lines: int = 25_000
    card_bytes: int = 256 * KIB
    xorb_bytes: int = 66 * MIB
    shard_bytes: int = 64 * MIB
    page_size: int = 1000

    def with_quotas(self, quotas: Iterable[str]) -> "Limits":
        """The same limits with some changed.

        Args:
            quotas: Each like `file=2G`, with a name of `QUOTAS` and a size in K, M, G or T (powers of 1024).

        Raises:
            CommandError: If one cannot be read.
        """
        changed = self
        for quota in quotas:
            name, _, size = quota.partition("=")
            if name.strip() not in QUOTAS or not (found := _SIZE.fullmatch(size.strip())):
                raise CommandError(f"A limit is given like file=2G; it is one of {', '.join(QUOTAS)}. Not: {quota!r}.")
            count = int(float(found[1]) * 1024 ** " KMGT".index(found[2].upper() or " "))
            changed = replace(changed, **{f"{name.strip()}_bytes": count})
        return changed


@dataclass(frozen=True)
class Settings:
    """One Hub.

    Attributes:
        data: The folder of blobs, of the secret, and of the SQLite database.
        database_url: An SQLAlchemy URL; None takes `hub.sqlite` in the data folder.
        public_url: The address that clients use, if it differs from what they send in `Host` (behind a proxy).
        limits: How much is allowed.
    """

    data: Path
    database_url: str | None = None
    public_url: str | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def resolved_database_url(self) -> str:
        """The URL of the database, whichever was chosen."""
        return self.database_url or f"sqlite:///{self.data / 'hub.sqlite'}"
