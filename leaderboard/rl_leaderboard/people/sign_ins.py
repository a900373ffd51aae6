"""Sign-ins on their way: what is remembered while a browser is at the OpenID provider.

It stays on the server. The browser has one random number, the provider sends the other one (the state) back, and only
both together find it: a state that somebody else started is no good, and neither is one that was used.
"""

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import Connection, case, delete, func, insert, select

from rl_hub import clock
from rl_leaderboard.database.tables import sign_ins
from rl_leaderboard.errors import TooManyRequests
from rl_leaderboard.people.sessions import digest
from rl_leaderboard.rules.sharing import may_take_another

COOKIE = "rl_classroom_sign_in"
LIFETIME = timedelta(minutes=10)
MOST_PENDING = 20_000
"""Anybody can begin a sign-in: what that writes is bounded, and shared between the networks that they come from."""

_RETRY_SECONDS = 60


def begin(connection: Connection, state: str, data: Mapping[str, str], network: str = "") -> str:
    """Remembers a sign-in for ten minutes; those that were given up are removed.

    Args:
        connection: A transaction that writes.
        state: What the provider is to send back.
        data: What finishing it takes.
        network: Where the browser is.

    Returns:
        256 random bits for the browser's cookie.

    Raises:
        TooManyRequests: If far too many sign-ins are on their way.
    """
    now = clock.now()
    connection.execute(delete(sign_ins).where(sign_ins.c.expires_at <= now))
    is_mine = sign_ins.c.network == network
    counts = select(func.count(case((is_mine, 1))), func.count(case((~is_mine, 1)))).select_from(sign_ins)
    mine, others = connection.execute(counts).one()
    if not may_take_another(mine, others, MOST_PENDING):
        raise TooManyRequests(
            "Too many people are signing in at this moment: wait a minute, then try again.",
            headers={"Retry-After": str(_RETRY_SECONDS)},
        )
    cookie = secrets.token_urlsafe(32)
    expires_at = now + LIFETIME
    row = {"digest": _key(cookie, state), "data": json.dumps(dict(data)), "network": network, "expires_at": expires_at}
    connection.execute(insert(sign_ins).values(row))
    return cookie


def finish(connection: Connection, cookie: str, state: str) -> Mapping[str, str] | None:
    """What was remembered, this once; None if nothing was, or it is too late."""
    mine = sign_ins.c.digest == _key(cookie, state)
    row = connection.execute(delete(sign_ins).where(mine).returning(sign_ins)).one_or_none()
    if row is None or row.expires_at <= clock.now():
        return None
    found: Mapping[str, str] = json.loads(row.data)
    return found


def _key(cookie: str, state: str) -> str:
    # The length keeps the end of the one and the beginning of the other apart.
    return digest(f"{len(cookie)}:{cookie}:{state}")
