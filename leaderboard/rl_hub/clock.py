"""The time, in one place."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time in UTC, to the millisecond: what the Hub's API shows, and what both databases keep."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
