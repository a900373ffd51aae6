"""Who may name which uploaded content in a commit: the user who sent it, in the repository it was sent for."""

from datetime import timedelta

from sqlalchemy import Connection, and_, exists, func, select, update

from rl_hub import clock
from rl_hub.database import tables
from rl_hub.database.engine import insert_ignore

# Time between the upload of a file and the commit that names it. A folder of many large files is one commit.
_LIFETIME = timedelta(days=1)

_grants = tables.upload_grants.c


def grant(connection: Connection, user_id: int, repository_id: int, sha256: str) -> None:
    """Lets a user name a stored content in commits to a repository, for a day from now."""
    row = {
        "user_id": user_id,
        "repository_id": repository_id,
        "sha256": sha256,
        "expires_at": clock.now() + _LIFETIME,
    }
    insert_ignore(connection, tables.upload_grants, [row])
    this = and_(_grants.user_id == user_id, _grants.repository_id == repository_id, _grants.sha256 == sha256)
    connection.execute(update(tables.upload_grants).where(this).values(expires_at=row["expires_at"]))


def granted(connection: Connection, user_id: int, repository_id: int, sha256: str) -> bool:
    """Whether a user may name a content in commits to a repository."""
    query = select(_grants.sha256).where(
        _grants.user_id == user_id,
        _grants.repository_id == repository_id,
        _grants.sha256 == sha256,
        _grants.expires_at > clock.now(),
    )
    return connection.scalar(query) is not None


def waiting_bytes(connection: Connection, owner_id: int) -> int:
    """The size of what was uploaded for an owner's repositories but is in no commit there.

    Quotas count it, or somebody who never commits could fill the disk.
    """
    repositories, files, held = tables.repositories.c, tables.files.c, tables.repository_files.c
    committed = exists().where(
        held.repository_id == _grants.repository_id, held.git_oid == files.git_oid, files.sha256 == _grants.sha256
    )
    waiting = (
        select(_grants.sha256)
        .join(tables.repositories, repositories.id == _grants.repository_id)
        .where(repositories.owner_id == owner_id, ~committed)
        .distinct()
        .subquery()
    )
    total = select(func.coalesce(func.sum(tables.blobs.c.size), 0)).where(tables.blobs.c.sha256.in_(select(waiting)))
    return int(connection.scalar(total) or 0)
