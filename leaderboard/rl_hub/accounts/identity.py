"""Who makes a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["read", "write"]
Membership = Literal["admin", "write", "read"]


@dataclass(frozen=True)
class Identity:
    """A person as a request shows them.

    Attributes:
        user_id: None for somebody who is not signed in.
        name: The user's name; empty for nobody.
        role: What the token may do; a session may write.
        is_admin: Whether this is an administrator of the Hub.
        organisations: The lower-case names of the user's organisations, and the user's role in each.
        token_name: The name of the token that was used; empty for a session.
        via: How the request was signed.
    """

    user_id: int | None = None
    name: str = ""
    role: Role | None = None
    is_admin: bool = False
    organisations: Mapping[str, Membership] = field(default_factory=dict)
    token_name: str = ""
    via: Literal["token", "session"] | None = None


ANONYMOUS = Identity()
