"""What a sign-in service says about somebody, as an arrival: pure rules."""

from collections.abc import Mapping
from typing import Any

from rl_hub.accounts.users import User
from rl_leaderboard.errors import BadRequest
from rl_leaderboard.people.people import HUB, Arrival

LONGEST_SUBJECT = 255
"""Characters of a provider's own name of a person (OpenID Connect Core, section 2)."""


def read_arrival(issuer: str, claims: Mapping[str, Any], source: str | None) -> Arrival:
    """Who has come, from claims that were checked.

    A provider vouches for the account's name on a Hub only where it sends `preferred_username`: what people call
    themselves, and what an e-mail address begins with, is no account of theirs. An e-mail address is never taken for
    more than a name to show.

    Args:
        issuer: The provider's address.
        claims: Of the ID token and of the userinfo endpoint.
        source: The Hub whose account names the provider's user names are; None for none.

    Raises:
        BadRequest: If they do not say who it is.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise BadRequest("The sign-in service did not say who you are.")
    account, full_name = _text(claims, "preferred_username"), _text(claims, "name")
    name = account or full_name or _text(claims, "email").partition("@")[0]
    if not name:
        raise BadRequest("The sign-in service sent no name for you: allow it to share your profile, then try again.")
    return Arrival(issuer, subject, name, source if account else None, full_name)


def arrival_of(user: User) -> Arrival:
    """An account of the embedded Hub, whose owner has proved who they are."""
    return Arrival(HUB, str(user.id), user.name, HUB, user.full_name, user.is_admin, user.created_at)


def names_account(claims: Mapping[str, Any]) -> bool:
    """Whether the claims hold the account's name, and not only what its owner goes by."""
    return bool(_text(claims, "preferred_username"))


def _text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that can be shown; empty for anything else."""
    value = claims.get(name)
    return value.strip() if isinstance(value, str) and value.isprintable() else ""
