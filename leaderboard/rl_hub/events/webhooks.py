"""Webhooks: who is told of which events, and where.

Their secrets are stored as they are, because the Hub's format sends them verbatim; nothing lists or logs them.
"""

import json
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from rl_hub import clock
from rl_hub.database import tables
from rl_hub.errors import BadRequest, NotFound, QuotaExceeded
from rl_hub.names import LONGEST_NAME, shown

MOST_WEBHOOKS = 100
"""Each may keep one connection of the server open."""

_MOST_WATCHED = 1000
_LONGEST_URL = 2048
_DOMAINS = ("repo", "discussion")
_OWNERS = ("user", "org")
_KINDS = ("model", "dataset", "space")
_NAME = re.compile(rf"[A-Za-z0-9_.-]{{1,{LONGEST_NAME}}}")
# What a header carries unchanged.
_SECRET = re.compile(r"[!-~]([ -~]{0,254}[!-~])?")


@dataclass(frozen=True)
class Watched:
    """What a webhook watches.

    Attributes:
        type: user or org (all its repositories), model, dataset or space.
        name: The account's name, or owner/name.
    """

    type: str
    name: str


@dataclass(frozen=True)
class Webhook:
    """An address that is told of events.

    Attributes:
        id: 24 hexadecimal digits.
        url: Where events are sent.
        watched: Whose events.
        domains: `repo` (repositories), `discussion` (which this Hub has none of).
        enabled: Whether new events are sent.
    """

    id: str
    url: str
    watched: tuple[Watched, ...]
    domains: tuple[str, ...]
    enabled: bool


def create(
    connection: Connection,
    owner_id: int,
    url: str,
    watched: Sequence[Watched],
    domains: Sequence[str] = _DOMAINS,
    secret: str | None = None,
) -> Webhook:
    """Creates a webhook.

    Raises:
        BadRequest: If the URL, the secret, a watched item or a domain is not one.
        QuotaExceeded: If the Hub has `MOST_WEBHOOKS` already.
    """
    if not watched:
        raise BadRequest("A webhook has to watch something: list users, organisations or repositories in `watched`.")
    values = _checked({"url": url, "watched": watched, "domains": domains, "secret": secret})
    if (connection.scalar(select(func.count()).select_from(tables.webhooks)) or 0) >= MOST_WEBHOOKS:
        raise QuotaExceeded(f"This Hub has {MOST_WEBHOOKS} webhooks already. Delete one that is no longer needed.")
    webhook_id = secrets.token_hex(12)
    row = {"id": webhook_id, "owner_id": owner_id, "enabled": True, "created_at": clock.now(), **values}
    connection.execute(insert(tables.webhooks).values(row))
    return get(connection, webhook_id)


def get(connection: Connection, webhook_id: str) -> Webhook:
    """A webhook.

    Raises:
        NotFound: If there is none with this id.
    """
    table = tables.webhooks
    row = connection.execute(select(table).where(table.c.id == webhook_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no webhook {shown(webhook_id)}. List them to see their ids.")
    return _webhook(row)


def list_all(connection: Connection) -> list[Webhook]:
    """All webhooks, oldest first."""
    table = tables.webhooks
    return [_webhook(row) for row in connection.execute(select(table).order_by(table.c.created_at, table.c.id))]


def change(
    connection: Connection,
    webhook_id: str,
    *,
    url: str | None = None,
    watched: Sequence[Watched] = (),
    domains: Sequence[str] | None = None,
    secret: str | None = None,
    enabled: bool | None = None,
) -> Webhook:
    """Changes what is given, and leaves the rest. An empty `watched` is what the client sends to leave it.

    Raises:
        NotFound: If there is no webhook with this id.
        BadRequest: If the URL, the secret, a watched item or a domain is not one.
    """
    given = {"url": url, "watched": watched or None, "domains": domains, "secret": secret, "enabled": enabled}
    values = _checked({name: value for name, value in given.items() if value is not None})
    get(connection, webhook_id)
    if values:
        connection.execute(update(tables.webhooks).where(tables.webhooks.c.id == webhook_id).values(values))
    return get(connection, webhook_id)


def remove(connection: Connection, webhook_id: str) -> None:
    """Deletes a webhook, with what it has not been told yet.

    Raises:
        NotFound: If there is none with this id.
    """
    get(connection, webhook_id)
    connection.execute(delete(tables.webhooks).where(tables.webhooks.c.id == webhook_id))


def watching(connection: Connection, kind: str, names: Iterable[str], scope: str) -> list[str]:
    """The ids of the enabled webhooks that watch a repository.

    Args:
        connection: A transaction.
        kind: model, dataset or space.
        names: The repository's names as owner/name: two, if it is being moved.
        scope: The event's scope; what is before its dot is the domain.
    """
    keys = {(kind, name.lower()) for name in names}
    keys |= {(owner, name.partition("/")[0]) for _, name in tuple(keys) for owner in _OWNERS}
    domain = scope.partition(".")[0]
    table = tables.webhooks
    columns = select(table.c.id, table.c.watched, table.c.domains).where(table.c.enabled)
    return [
        row.id
        for row in connection.execute(columns.order_by(table.c.id))
        if domain in json.loads(row.domains)
        and any((item["type"], item["name"].lower()) in keys for item in json.loads(row.watched))
    ]


def _webhook(row: Row[Any]) -> Webhook:
    watched = tuple(Watched(item["type"], item["name"]) for item in json.loads(row.watched))
    return Webhook(row.id, row.url, watched, tuple(json.loads(row.domains)), row.enabled)


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """What is stored for the given values, in columns' form."""
    stored = dict(values)
    if "url" in values:
        _check_url(values["url"])
    if values.get("secret") is not None and not _SECRET.fullmatch(values["secret"]):
        raise BadRequest(
            "The secret of a webhook is sent in a header: use up to 256 ASCII letters, digits and signs, "
            "with no blank at either end."
        )
    if "watched" in values:
        _check_watched(values["watched"])
        stored["watched"] = json.dumps([{"type": item.type, "name": item.name} for item in values["watched"]])
    if "domains" in values:
        if not values["domains"] or not set(values["domains"]) <= set(_DOMAINS):
            raise BadRequest('The domains of a webhook are "repo", "discussion", or both.')
        stored["domains"] = json.dumps(list(dict.fromkeys(values["domains"])))
    return stored


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise BadRequest("The URL of a webhook has to be an http:// or https:// address.")
    if parts.username is not None or parts.password is not None:
        raise BadRequest("Leave name and password out of the webhook's URL: give it a secret instead.")


def _check_watched(watched: Sequence[Watched]) -> None:
    if len(watched) > _MOST_WATCHED:
        raise BadRequest(f"A webhook can watch {_MOST_WATCHED} names at most; watch their organisation instead.")
    for item in watched:
        parts = item.name.split("/")
        if item.type not in _OWNERS + _KINDS or len(parts) != (1 if item.type in _OWNERS else 2):
            raise BadRequest(
                "A webhook watches a user or org by its name, or a model, dataset or space by owner/name, "
                f"not {shown(item.type)} {shown(item.name)}."
            )
        if not all(_NAME.fullmatch(part) for part in parts):
            raise BadRequest(f"Nothing on this Hub can have the name {shown(item.name)}.")
