"""Guessing made slow: after some failures each further one blocks for longer.

An attempt is counted as a failure before it is made and taken back when it succeeds, so that many attempts at once
are no way around the count.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, select, update

from rl_hub import clock
from rl_hub.database.engine import insert_ignore
from rl_hub.database.tables import throttles
from rl_hub.errors import TooManyRequests


@dataclass(frozen=True)
class Rule:
    """How failures slow down.

    Attributes:
        free: Failures that cost nothing.
        longest: Seconds of a block, at most; the first failure above `free` blocks for one, each further one twice as
            long as the one before.
    """

    free: int
    longest: float

    def block(self, failures: int) -> timedelta:
        """How long the last of so many failures blocks."""
        above = failures - self.free
        # 2**30 seconds are longer than any limit, and still fit into a timedelta.
        return timedelta(seconds=min(self.longest, 2 ** min(above - 1, 30)) if above > 0 else 0)


# One address that guesses the password of one account. Nobody else is kept out of the account by that.
GUESSER = Rule(free=5, longest=15 * 60)
# Many addresses that guess it together. The block stays short: the account's owner has to wait as well.
ACCOUNT = Rule(free=1000, longest=60)
# A whole class often shares one address: one person's mistakes must not keep the others out for long.
ADDRESS = Rule(free=100, longest=60)
# Codes for signing in a device, asked for by anybody.
DEVICE = Rule(free=500, longest=60)
# Failures are forgotten when none came for so long.
_MEMORY = timedelta(hours=1)


@dataclass(frozen=True)
class Subject:
    """Whose failures are counted: a row of the table, and its rule."""

    key: str
    rule: Rule


def account(name: str) -> Subject:
    """Attempts on an account, whether or not there is one of this name."""
    return Subject(f"account:{hashlib.sha256(name.lower().encode(errors='replace')).hexdigest()}", ACCOUNT)


def guesser(name: str, text: str) -> Subject:
    """Attempts on an account from one network address."""
    return Subject(f"{account(name).key}{address(text, purpose='@').key}", GUESSER)


def address(text: str, rule: Rule = ADDRESS, purpose: str = "address") -> Subject:
    """Attempts from a network address; of IPv6, from the /64 that one customer usually has."""
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return Subject(f"{purpose}:{text[:64]}", rule)
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = parsed.ipv4_mapped or ipaddress.IPv6Network((parsed, 64), strict=False).network_address
    return Subject(f"{purpose}:{parsed}", rule)


def reserve(connection: Connection, subjects: Sequence[Subject]) -> None:
    """Counts an attempt as a failure of every subject, until `release` says otherwise.

    Raises:
        TooManyRequests: If one of the subjects is blocked; nothing is counted then.
    """
    now = clock.now()
    connection.execute(delete(throttles).where(throttles.c.blocked_until < now - _MEMORY))
    # One order for everybody: two attempts that lock the same rows do not wait for each other in a circle.
    ordered = sorted(subjects, key=lambda subject: subject.key)
    new = [{"key": subject.key, "failures": 0, "blocked_until": now} for subject in ordered]
    insert_ignore(connection, throttles, new)
    counts = {subject: _locked_count(connection, subject) for subject in ordered}
    for subject, failures in counts.items():
        connection.execute(
            update(throttles)
            .where(throttles.c.key == subject.key)
            .values(failures=failures + 1, blocked_until=clock.now() + subject.rule.block(failures + 1))
        )


def release(connection: Connection, subject: Subject) -> None:
    """Takes the last attempt of a subject back: it was no failure."""
    connection.execute(
        update(throttles)
        .where(throttles.c.key == subject.key, throttles.c.failures > 0)
        .values(failures=throttles.c.failures - 1, blocked_until=clock.now())
    )


def forget(connection: Connection, subject: Subject) -> None:
    """Forgets all failures of a subject."""
    connection.execute(delete(throttles).where(throttles.c.key == subject.key))


def forget_account(connection: Connection, name: str) -> None:
    """Forgets all failures with an account, from wherever they came."""
    key = account(name).key
    connection.execute(delete(throttles).where(throttles.c.key.startswith(key, autoescape=True)))


def _locked_count(connection: Connection, subject: Subject) -> int:
    row = connection.execute(
        select(throttles.c.failures, throttles.c.blocked_until).where(throttles.c.key == subject.key).with_for_update()
    ).one_or_none()
    if row is None:  # forgotten this very moment, after somebody's success
        return 0
    now = clock.now()  # after the wait for the lock, which another attempt may have held
    if row.failures > subject.rule.free and row.blocked_until > now:
        seconds = max(1, round((row.blocked_until - now).total_seconds()))
        raise TooManyRequests(
            f"There were too many attempts: wait {_spoken(seconds)}, then try again.",
            headers={"Retry-After": str(seconds)},
        )
    return int(row.failures)


def _spoken(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} second{'s' if seconds > 1 else ''}"
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'s' if minutes > 1 else ''}"
