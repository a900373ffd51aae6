"""Whether there is room for what somebody wants to upload, told before it is sent."""

from sqlalchemy import Connection, select

from rl_hub.database import tables
from rl_hub.errors import NotFound, TooLarge
from rl_hub.repositories import quotas
from rl_hub.repositories.catalog import Repository
from rl_hub.settings import Limits
from rl_hub.uploads import grants


def repository(connection: Connection, repository_id: int) -> Repository:
    """The repository that an upload is for.

    Raises:
        NotFound: If it has been deleted meanwhile.
    """
    columns = [tables.repositories.c[name] for name in Repository.__dataclass_fields__]
    row = connection.execute(select(*columns).where(tables.repositories.c.id == repository_id)).one_or_none()
    if row is None:
        raise NotFound("The repository that this upload is for has been deleted.")
    return Repository(**row._mapping)


def check_file(limits: Limits, size: int) -> None:
    """Looks at the size of one file.

    Raises:
        TooLarge: If no file may be as large.
    """
    if size > limits.file_bytes:
        raise TooLarge(
            f"A file may have {quotas.readable(limits.file_bytes)} at most; this one has {quotas.readable(size)}."
        )


def check(connection: Connection, limits: Limits, target: Repository, new_bytes: int) -> None:
    """Looks whether a repository and its owner have room for more.

    Raises:
        QuotaExceeded: If they have not.
    """
    if new_bytes:
        waiting = grants.waiting_bytes(connection, target.owner_id)
        quotas.check(connection, limits, target, new_bytes + waiting)
