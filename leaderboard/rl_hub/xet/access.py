"""The permission with which a client sends xorbs and shards: for one user, one repository and one space of xorbs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from rl_hub.errors import Forbidden, Unauthorized
from rl_hub.uploads import room, signatures
from rl_hub.xet import namespaces

LIFETIME = timedelta(hours=1)
_PURPOSE = "xet write"


@dataclass(frozen=True)
class Access:
    """Who sends, and for what.

    Attributes:
        user_id: The user.
        repository_id: The repository that the files are for.
        namespace: The name of the user's space of xorbs.
    """

    user_id: int
    repository_id: int
    namespace: str


def issue(secret: bytes, access: Access, expires_at: datetime) -> str:
    """The token that proves an access until a time."""
    claims: dict[str, str | int] = {
        "user": access.user_id,
        "repository": access.repository_id,
        "space": access.namespace,
    }
    return signatures.sign(secret, _PURPOSE, claims, expires_at)


def check(connection: Connection, secret: bytes, token: str, namespace: str) -> Access:
    """What a token allows in a space.

    Raises:
        Unauthorized: If this Hub did not make the token, or it has expired, or the space has been given up since.
        Forbidden: If it is for another space, or the user may not write to the repository any more.
        NotFound: If the repository is gone, or hidden from the user.
    """
    claims = signatures.verify(secret, _PURPOSE, token)
    if claims is None:
        raise Unauthorized("This permission to upload is not known here, or has expired. Start the upload again.")
    access = Access(claims["user"], claims["repository"], claims["space"])
    if access.namespace != namespace:
        raise Forbidden("This permission to upload is for another address.")
    if not namespaces.is_current(connection, access.user_id, namespace):
        raise Unauthorized("What was sent here has been cleaned up meanwhile. Start the upload again.")
    room.repository(connection, access.user_id, access.repository_id, write=True)
    return access
