"""Signing in on another device: the OAuth 2.0 device authorization grant (RFC 8628).

This is what `huggingface_hub.login()` and `notebook_login()` do: the client shows a short code, the person types it
into a page of the Hub and approves, and the client, which has been asking all the while, gets a token.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Update, delete, func, insert, select, update

from rl_hub import clock
from rl_hub.accounts import tokens
from rl_hub.accounts.identity import Role
from rl_hub.database.engine import Database
from rl_hub.database.tables import device_codes
from rl_hub.errors import BadRequest, NotFound, TooManyRequests

LIFETIME = timedelta(minutes=15)
# Between two questions of a client.
INTERVAL = timedelta(seconds=2)
# A question may come so much early before the client is told to slow down: its clock is not ours.
_TOLERANCE = timedelta(milliseconds=500)
# Codes that have expired are kept for a while, so that a late client learns that its code has expired.
_MEMORY = timedelta(hours=1)
# RFC 8628, section 6.1: no vowels, so no words; no digits, so nothing that is taken for a letter. 8 of them: 34 bits.
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
_MOST_PENDING = 10_000
_LONGEST_CLIENT_ID = 128
_NOTHING_WAITS = (
    "No device waits with this code: compare it with what the device shows. "
    f"A code is good for {LIFETIME // timedelta(minutes=1)} minutes and for one decision."
)


class Refusal(StrEnum):
    """Why a client gets no token (RFC 8628, section 3.5, and RFC 6749, section 5.2)."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    INVALID = "invalid_grant"


@dataclass(frozen=True)
class DeviceCode:
    """What a client is given to begin with.

    Attributes:
        device_code: The client's secret, 256 random bits; the database keeps a digest.
        user_code: What the person types, as `BCDF-GHJK`.
    """

    device_code: str = field(repr=False)
    user_code: str


@dataclass(frozen=True)
class PendingDevice:
    """A device that waits for approval, as the approval page shows it."""

    user_code: str
    client_id: str
    created_at: datetime
    expires_at: datetime


def start(connection: Connection, client_id: str) -> DeviceCode:
    """Begins to sign a device in.

    Raises:
        BadRequest: If the client does not say who it is.
        TooManyRequests: If too many devices wait already.
    """
    if not 1 <= len(client_id) <= _LONGEST_CLIENT_ID or not client_id.isprintable():
        raise BadRequest("The field client_id is missing or too long.")
    now = clock.now()
    connection.execute(delete(device_codes).where(device_codes.c.expires_at < now - _MEMORY))
    waiting = connection.execute(select(func.count()).select_from(device_codes)).scalar_one()
    if waiting >= _MOST_PENDING:
        raise TooManyRequests("Too many devices are signing in at the moment: try again in a few minutes.")
    code = DeviceCode(secrets.token_urlsafe(32), _new_user_code())
    connection.execute(
        insert(device_codes).values(
            digest=_digest(code.device_code),
            user_code=code.user_code,
            client_id=client_id,
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    return code


def pending(connection: Connection, user_code: str) -> PendingDevice:
    """The device that waits with this code, however the person typed it.

    Raises:
        NotFound: If there is none: the code is wrong, expired, or decided on already.
    """
    table = device_codes.c
    row = connection.execute(
        select(table.user_code, table.client_id, table.created_at, table.expires_at).where(*_is_pending(user_code))
    ).one_or_none()
    if row is None:
        raise NotFound(_NOTHING_WAITS)
    return PendingDevice(*row)


def approve(connection: Connection, user_code: str, user_id: int, role: Role = "write") -> None:
    """Lets the device that waits with this code sign in as a user, with a token of this role.

    Raises:
        BadRequest: If there is no such role.
        NotFound: If no device waits with this code.
    """
    if role not in tokens.ROLES:
        raise BadRequest(f"There is no role {role!r} for a token: take one of {', '.join(tokens.ROLES)}.")
    _decide(connection, user_code, update(device_codes).values(approved_by=user_id, role=role))


def deny(connection: Connection, user_code: str) -> None:
    """Refuses the device that waits with this code.

    Raises:
        NotFound: If no device waits with this code.
    """
    _decide(connection, user_code, update(device_codes).values(denied=True))


def poll(database: Database, device_code: str, client_id: str) -> str | Refusal:
    """Answers a client that asks whether it has been approved.

    Only a question in its time is noted: whoever asks in between, or with a code that does not exist, makes nobody
    else's write wait.

    Returns:
        The token, once: the device code is worth nothing afterwards. Or why there is none.

    Raises:
        Conflict: If the person has too many tokens.
    """
    digest = _digest(device_code)
    with database.read() as connection:
        state = _state(connection, digest, client_id)
    if isinstance(state, Refusal) and state is not Refusal.PENDING:
        return state
    with database.write() as connection:
        state = _state(connection, digest, client_id)
        if isinstance(state, Refusal):
            note = update(device_codes).where(device_codes.c.digest == digest).values(last_polled_at=clock.now())
            connection.execute(note)
            return state
        # Of two questions at once only one removes the code.
        if not connection.execute(delete(device_codes).where(device_codes.c.digest == digest)).rowcount:
            return Refusal.INVALID
        return tokens.create(connection, state.user_id, f"Device sign-in, {clock.now():%d %b %Y}", state.role)


@dataclass(frozen=True)
class _Approval:
    user_id: int
    role: Role


def _state(connection: Connection, digest: str, client_id: str) -> _Approval | Refusal:
    row = connection.execute(select(device_codes).where(device_codes.c.digest == digest)).one_or_none()
    if row is None or row.client_id != client_id:
        return Refusal.INVALID
    now = clock.now()
    if row.expires_at <= now:
        return Refusal.EXPIRED
    if row.denied:
        return Refusal.DENIED
    if row.approved_by is not None:
        return _Approval(row.approved_by, row.role)
    early = row.last_polled_at is not None and now - row.last_polled_at < INTERVAL - _TOLERANCE
    return Refusal.SLOW_DOWN if early else Refusal.PENDING


def _decide(connection: Connection, user_code: str, decision: Update) -> None:
    if not connection.execute(decision.where(*_is_pending(user_code))).rowcount:
        raise NotFound(_NOTHING_WAITS)


def _is_pending(user_code: str) -> list[ColumnElement[bool]]:
    table = device_codes.c
    return [
        table.user_code == _spelled(user_code),
        table.expires_at > clock.now(),
        table.approved_by.is_(None),
        ~table.denied,
    ]


def _new_user_code() -> str:
    return _spelled("".join(secrets.choice(ALPHABET) for _ in range(8)))


def _spelled(user_code: str) -> str:
    """A code as the Hub writes it, from however a person did: without case, blanks and hyphens."""
    letters = re.sub(r"[^A-Z]", "", user_code.upper())
    return f"{letters[:4]}-{letters[4:]}"


def _digest(device_code: str) -> str:
    return hashlib.sha256(device_code.encode(errors="replace")).hexdigest()
