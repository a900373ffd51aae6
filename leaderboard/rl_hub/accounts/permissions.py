"""Who may do what: pure rules on an identity."""

from typing import Protocol

from rl_hub.accounts.identity import Identity, Membership


class Owned(Protocol):
    """What has an owner and may be private: a repository."""

    @property
    def owner_name(self) -> str:
        """The user or organisation that owns it."""
        ...

    @property
    def private(self) -> bool:
        """Whether only the owner's people see it."""
        ...


def may_read(identity: Identity, repository: Owned) -> bool:
    """Whether a repository may be seen: every public one, and a private one by its owner's people."""
    return not repository.private or belongs(identity, repository.owner_name)


def may_write(identity: Identity, owner_name: str) -> bool:
    """Whether repositories of an owner may be created and committed to."""
    return identity.role == "write" and belongs(identity, owner_name, "admin", "write")


def may_manage(identity: Identity, owner_name: str) -> bool:
    """Whether repositories of an owner may be deleted, moved, published and hidden."""
    return identity.role == "write" and belongs(identity, owner_name, "admin")


def belongs(identity: Identity, account_name: str, *roles: Membership) -> bool:
    """Whether somebody is one of an account's people.

    Args:
        identity: Who asks.
        account_name: A user or an organisation.
        roles: The roles in an organisation that count; none for any.

    Returns:
        Whether this is the user, an administrator of the Hub, or a member with one of the roles.
    """
    if identity.user_id is None:
        return False
    account = account_name.lower()
    if identity.is_admin or identity.name.lower() == account:
        return True
    return account in identity.organisations and (not roles or identity.organisations[account] in roles)
