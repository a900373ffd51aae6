"""The time, in one place."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current time in UTC, to the millisecond: what the Hub's API shows, and what both databases keep."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def iso(moment: datetime) -> str:
    """A time as the Hub's API writes it: `2026-11-22T09:30:00.000Z`."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
