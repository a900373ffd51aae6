"""What an upload is for, and whether there is room for it."""

from sqlalchemy import Connection, select

from rl_hub.accounts import organisations
from rl_hub.accounts.identity import ANONYMOUS, Identity
from rl_hub.database.tables import accounts
from rl_hub.errors import Forbidden, NotFound, RepositoryNotFound, TooLarge
from rl_hub.repositories import catalog, quotas
from rl_hub.repositories.catalog import Repository
from rl_hub.settings import Limits
from rl_hub.uploads import grants

# In a signed permission: whoever is not signed in.
NOBODY = 0


def repository(connection: Connection, user_id: int, repository_id: int, *, write: bool) -> Repository:
    """The repository of a permission that was signed before, if its user still has the right to it.

    Args:
        connection: Any transaction.
        user_id: Whom the permission was given to; `NOBODY` for a public repository.
        repository_id: What it was given for.
        write: Whether it is to be written to.

    Raises:
        NotFound: If the repository has been deleted meanwhile, or hidden from the user.
        Forbidden: If the user has been deleted, or may not write there any more.
    """
    try:
        return catalog.find_by_id(connection, _identity(connection, user_id), repository_id, write=write)
    except RepositoryNotFound:
        raise NotFound(
            "The repository of this address has been deleted meanwhile, or may not be seen any more. Start again."
        ) from None


def check_file(limits: Limits, size: int) -> None:
    """Looks at the size of one file.

    Raises:
        TooLarge: If no file may be as large.
    """
    if size > limits.file_bytes:
        raise TooLarge(
            f"A file may have {quotas.readable(limits.file_bytes)} at most; this one has {quotas.readable(size)}."
        )


def preview(connection: Connection, limits: Limits, target: Repository, new_bytes: int) -> None:
    """Looks, before anything is sent, whether a repository and its owner have room for more.

    Raises:
        QuotaExceeded: If they have not.
    """
    if new_bytes:
        quotas.preview(connection, limits, target, new_bytes + grants.waiting_bytes(connection, target.owner_id))


def check(connection: Connection, limits: Limits, target: Repository, new_bytes: int) -> None:
    """The same for what is kept in this write transaction: others of this owner wait until it ends.

    Raises:
        QuotaExceeded: If there is no room.
    """
    if new_bytes:
        quotas.lock_owner(connection, target.owner_id)
        preview(connection, limits, target, new_bytes)


def _identity(connection: Connection, user_id: int) -> Identity:
    """The user as of now, with a role that only those had who were given a permission to write."""
    if user_id == NOBODY:
        return ANONYMOUS
    query = select(accounts.c.name, accounts.c.is_admin).where(accounts.c.id == user_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Forbidden("The account that this address was given to has been deleted.")
    member_of = organisations.roles_of(connection, user_id)
    return Identity(user_id, row.name, "write", row.is_admin, member_of)
