"""The events of a Hub, told to whoever subscribes in the same process.

An event is written in the transaction that makes it true, so it exists if and only if the change does, whatever is
killed when. A subscriber hears of every event, in order, at least once::

    async def index(event: Event) -> None:
        if event.scope == "repo.content":
            ...

    app = create_app(hub, subscribers=[Subscriber("leaderboard", index)])

Its position is kept under its name in the database and moves on only once the handler has returned. So after a crash
the event at which it stopped is told again, and a handler has to bear that: it looks whether `event.head_sha` is what
it knows already. A subscriber that is new starts with the first event that is still there: events are removed
30 days after they have reached every subscriber that is known by then.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from rl_hub import clock
from rl_hub.database import tables
from rl_hub.database.engine import insert_ignore
from rl_hub.events import webhooks
from rl_hub.events.order import keep_order
from rl_hub.events.payloads import Action, Scope, Subject, UpdatedRef, body


@dataclass(frozen=True)
class Event:
    """Something that happened to a repository.

    Attributes:
        id: Grows from event to event.
        created_at: When it happened.
        repository_id: The repository, which may be gone by now.
        payload: The body of the Hub's webhooks, see `payloads.body`.
    """

    id: int
    created_at: datetime
    repository_id: int
    payload: Mapping[str, Any]

    @property
    def action(self) -> str:
        """create, delete, move or update."""
        return str(self.payload["event"]["action"])

    @property
    def scope(self) -> str:
        """repo, repo.content or repo.config."""
        return str(self.payload["event"]["scope"])

    @property
    def kind(self) -> str:
        """model, dataset or space."""
        return str(self.payload["repo"]["type"])

    @property
    def repo_id(self) -> str:
        """The repository as owner/name; before the event, if it was moved."""
        return str(self.payload["repo"]["name"])

    @property
    def moved_to(self) -> str | None:
        """The owner/name after a move."""
        return self.payload["movedTo"]["name"] if "movedTo" in self.payload else None

    @property
    def private(self) -> bool:
        """Whether others may not see the repository."""
        return bool(self.payload["repo"]["private"])

    @property
    def head_sha(self) -> str:
        """The head of the main branch after the event."""
        return str(self.payload["repo"]["headSha"])

    @property
    def updated_refs(self) -> tuple[UpdatedRef, ...]:
        """Branches and tags that point elsewhere since the event."""
        return tuple(
            UpdatedRef(updated["ref"], updated["oldSha"], updated["newSha"])
            for updated in self.payload.get("updatedRefs", ())
        )


@dataclass(frozen=True)
class Subscriber:
    """Somebody in this process who wants to hear of every event.

    Attributes:
        name: Under which its position is kept; another name starts from the first event.
        handle: Called with one event at a time. A coroutine runs on the server's event loop, a plain function in a
            thread. If it raises, it is called with the same event again, after a pause.
    """

    name: str
    handle: Callable[[Event], Awaitable[None] | None]


def record(
    connection: Connection,
    action: Action,
    scope: Scope,
    repository: Subject,
    updated_refs: Sequence[UpdatedRef] = (),
    *,
    moved_from: str | None = None,
) -> int:
    """Writes an event, and a delivery to each webhook that watches the repository, in the caller's transaction.

    Call it last in the transaction: from here to its end, other events wait. After the transaction, `hub.wake()` has
    them told at once.

    Args:
        connection: The transaction that makes the change.
        action: What was done.
        scope: To which part of the repository.
        repository: The repository after the event (before it, if it is deleted).
        updated_refs: Refs that changed.
        moved_from: For a move, the owner/name before it.

    Returns:
        The event's id.
    """
    keep_order(connection)
    now = clock.now()
    payload = json.dumps(body(action, scope, repository, updated_refs, moved_from), separators=(",", ":"))
    row = {"created_at": now, "repository_id": repository.id, "payload": payload}
    event_id: int = connection.execute(insert(tables.events).values(row).returning(tables.events.c.id)).scalar_one()
    names = [f"{repository.owner_name}/{repository.name}", *([moved_from] if moved_from else [])]
    deliveries = [
        {"webhook_id": webhook_id, "event_id": event_id, "next_attempt_at": now}
        for webhook_id in webhooks.watching(connection, repository.kind, names, scope)
    ]
    if deliveries:
        connection.execute(insert(tables.deliveries), deliveries)
    return event_id


def position(connection: Connection, name: str) -> int:
    """The id of the last event that a subscriber has handled; 0 for a new one."""
    found = connection.scalar(select(tables.subscribers.c.last_event_id).where(tables.subscribers.c.name == name))
    return found or 0


def advance(connection: Connection, name: str, event_id: int) -> None:
    """Keeps the id of the event that a subscriber has handled."""
    table = tables.subscribers
    insert_ignore(connection, table, [{"name": name, "last_event_id": 0}])
    connection.execute(table.update().where(table.c.name == name).values(last_event_id=event_id))


def after(connection: Connection, event_id: int, limit: int) -> list[Event]:
    """The events that follow one, oldest first, `limit` at most."""
    table = tables.events
    rows = connection.execute(select(table).where(table.c.id > event_id).order_by(table.c.id).limit(limit))
    return [Event(row.id, row.created_at, row.repository_id, json.loads(row.payload)) for row in rows]
