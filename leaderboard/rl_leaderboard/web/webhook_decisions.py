"""Webhooks that teachers make and delete, each written into the audit log."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlalchemy import Connection

from rl_leaderboard.activity import webhooks
from rl_leaderboard.audit import log
from rl_leaderboard.people.people import Person


def create(connection: Connection, owner: Person, url: str, kinds: Sequence[str]) -> tuple[int, str]:
    """Makes a webhook; see `webhooks.create`, which says what it takes, returns and raises."""
    number, secret = webhooks.create(connection, owner.id, url, kinds)
    told = webhooks.get(connection, owner.id, number).kinds
    log.record(connection, owner, "webhook.create", _called(url), webhook=number, kinds=", ".join(told))
    return number, secret


def remove(connection: Connection, owner: Person, webhook_id: int) -> None:
    """Deletes one of a teacher's webhooks.

    Raises:
        NotFound: If they have no such webhook.
    """
    webhook = webhooks.get(connection, owner.id, webhook_id)
    webhooks.remove(connection, owner.id, webhook_id)
    log.record(connection, owner, "webhook.delete", _called(webhook.url), webhook=webhook_id)


def _called(url: str) -> str:
    """The address as the log names it: its path is often the secret of the service that listens there."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
