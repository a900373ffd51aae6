"""How much a repository and its owner hold, and whether more fits."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Connection, Select, func, select

from rl_hub import clock
from rl_hub.database.tables import accounts, commits, files, repositories, repository_files
from rl_hub.errors import BadRequest, QuotaExceeded, TooManyRequests
from rl_hub.repositories.catalog import Repository
from rl_hub.settings import GIB, KIB, MIB, Limits

_MOST_FILES = 100_000  # in a repository, as on huggingface.co
_MOST_COMMITS = 1000  # of one person within an hour


def repository_bytes(connection: Connection, repository_id: int) -> int:
    """What all commits of a repository hold, each content counted once."""
    return _sum(connection, _contents().where(repository_files.c.repository_id == repository_id))


def bytes_by_repository(connection: Connection, repository_ids: Collection[int]) -> dict[int, int]:
    """The same of many repositories; those that hold nothing are left out."""
    held = _contents().where(repository_files.c.repository_id.in_(repository_ids)).subquery()
    query = select(held.c.repository_id, func.sum(held.c.size)).group_by(held.c.repository_id)
    return {number: int(size) for number, size in connection.execute(query)}


def owner_bytes(connection: Connection, owner_id: int) -> int:
    """What the repositories of a user or an organisation hold, each content counted once in each of them."""
    contents = (
        _contents()
        .join(repositories, repositories.c.id == repository_files.c.repository_id)
        .where(repositories.c.owner_id == owner_id)
    )
    return _sum(connection, contents)


def check(connection: Connection, limits: Limits, repository: Repository, new_bytes: int) -> None:
    """Checks that there is room for what this transaction adds to a repository.

    Args:
        connection: A write transaction: others that add to what this owner has wait until it ends.
        limits: The Hub's.
        repository: Where the new content goes.
        new_bytes: The size of contents that the repository does not hold yet.

    Raises:
        QuotaExceeded: If the repository or its owner would hold more than is allowed.
    """
    if new_bytes > 0:
        lock_owner(connection, repository.owner_id)
        preview(connection, limits, repository, new_bytes)


def lock_owner(connection: Connection, owner_id: int) -> None:
    """Keeps others that add to what an owner has waiting until the transaction ends.

    A lock of the repository alone lets commits to two repositories pass the owner's limit together. (SQLite leaves
    FOR UPDATE out: there is one writer at a time anyway.)
    """
    # Weaker than FOR UPDATE: rows that only refer to the account need not wait.
    connection.execute(select(accounts.c.id).where(accounts.c.id == owner_id).with_for_update(key_share=True))


def preview(connection: Connection, limits: Limits, repository: Repository, new_bytes: int) -> None:
    """Looks whether there would be room for more in a repository.

    Args:
        connection: Any transaction.
        limits: The Hub's.
        repository: Where the new content goes.
        new_bytes: The size of contents that the repository does not hold yet.

    Raises:
        QuotaExceeded: If the repository or its owner would hold more than is allowed.
    """
    if new_bytes <= 0:
        return
    held = repository_bytes(connection, repository.id)
    if held + new_bytes > limits.repository_bytes:
        raise QuotaExceeded(
            f"{repository.repo_id} holds {readable(held)} (earlier versions of files included), and "
            f"{readable(new_bytes)} more would exceed the {readable(limits.repository_bytes)} that a repository may "
            "hold. Delete the repository and push again without the large files that it does not need."
        )
    held = owner_bytes(connection, repository.owner_id)
    if held + new_bytes > limits.user_bytes:
        raise QuotaExceeded(
            f"The repositories of {repository.owner_name} hold {readable(held)}, and {readable(new_bytes)} more would "
            f"exceed the {readable(limits.user_bytes)} that are allowed. Delete repositories that are no longer needed."
        )


def check_files(count: int) -> None:
    """Checks that a repository has no more files than can be listed.

    Raises:
        BadRequest: If it would have.
    """
    if count > _MOST_FILES:
        raise BadRequest(
            f"The repository would have {count} files; {_MOST_FILES} are allowed. Put many small files into an archive."
        )


def check_commits(connection: Connection, user_id: int | None) -> None:
    """Checks how often somebody has committed: each commit keeps lists of folders, which no other quota counts.

    Raises:
        TooManyRequests: If it was too often.
    """
    recent = (commits.c.author_id == user_id, commits.c.created_at > clock.now() - timedelta(hours=1))
    count = connection.scalar(select(func.count()).select_from(commits).where(*recent)) or 0
    if count >= _MOST_COMMITS:
        raise TooManyRequests(
            f"You have made {count} commits within an hour, and no more are allowed. Commit several files at a time.",
            headers={"Retry-After": "60"},
        )


def readable(size: int) -> str:
    """A number of bytes for a person."""
    for unit, name in ((GIB, "GB"), (MIB, "MB"), (KIB, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def _contents() -> Select[tuple[int, str, int]]:
    """The contents of repositories; two files with the same content are one."""
    return (
        select(repository_files.c.repository_id, files.c.sha256, files.c.size)
        .join(files, files.c.git_oid == repository_files.c.git_oid)
        .distinct()
    )


def _sum(connection: Connection, contents: Select[tuple[int, str, int]]) -> int:
    return int(connection.scalar(select(func.coalesce(func.sum(contents.subquery().c.size), 0))) or 0)
