"""Who sends a request: by its token, or by the cookie of a session."""

import base64
import binascii

from starlette.requests import Request

from rl_hub.accounts import sessions, tokens
from rl_hub.accounts.identity import ANONYMOUS, Identity
from rl_hub.errors import Unauthorized
from rl_hub.hub import Hub

_NOT_KNOWN = (
    "This access token is not known here, or has expired. Sign in again with a token of this Hub "
    "(a token of another Hub does not count here)."
)


def of(hub: Hub, request: Request, *, cookie: bool, token: bool = True) -> Identity:
    """The sender of a request.

    Args:
        hub: The Hub that is asked.
        request: The request.
        cookie: Whether a session's cookie counts.
        token: Whether a token counts. It does not for pages: a form may do more than a token that only reads.

    Raises:
        Unauthorized: If a token is given that is not known.
    """
    header = request.headers.get("authorization")
    if header and token:
        with hub.database.read() as connection:
            found = tokens.identify(connection, _token(header))
        if found is None:
            raise Unauthorized(_NOT_KNOWN)
        return found
    session = request.cookies.get(sessions.COOKIE) if cookie else None
    if session:
        with hub.database.read() as connection:
            return sessions.identify(connection, session) or ANONYMOUS
    return ANONYMOUS


def _token(header: str) -> str:
    """The token of an Authorization header; git sends it as the password of Basic."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return value.strip() if scheme.lower() == "bearer" else ""
