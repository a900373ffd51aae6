"""Lists of repositories: by tags, owner and words, newest first, a page at a time.

A page is found on indexes alone, and only its own rows are then read whole. Pages continue from the last row of the
one before (keyset), so that the last page costs what the first does.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, exists, func, or_, select, tuple_
from sqlalchemy import true as always

from rl_hub.accounts.identity import Identity
from rl_hub.database.tables import accounts, repositories, repository_cards, repository_tags
from rl_hub.errors import BadRequest

# How far the repositories of a tag are counted, to find the rarest of several tags.
_COUNTED = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Query:
    """What is looked for.

    Attributes:
        kind: model, dataset or space.
        limit: Rows of a page, at most.
        tags: All of them have to be there.
        author: The owner's name.
        words: All of them have to be in `owner/name`, whatever their case.
        pipeline_tag: What the card says the model is for.
        oldest_first: The other direction.
        by_creation: Ordered by creation instead of by the last change.
        cursor: Where the page before ended.
    """

    kind: str
    limit: int
    tags: Sequence[str] = ()
    author: str | None = None
    words: Sequence[str] = ()
    pipeline_tag: str | None = None
    oldest_first: bool = False
    by_creation: bool = False
    cursor: str | None = None


@dataclass(frozen=True)
class Page:
    """Rows of repositories with their cards' columns, and where the next page starts, if there is one."""

    rows: Sequence[Any]
    cursor: str | None

    def first(self, count: int) -> "Page":
        """The same page, ending after so many rows."""
        return self if count >= len(self.rows) else Page(self.rows[:count], _cursor(self.rows[count - 1]))


def find(connection: Connection, identity: Identity, query: Query) -> Page:
    """One page of the repositories that `identity` may see.

    Raises:
        BadRequest: If the cursor is not one of ours.
    """
    ids = _ids(connection, identity, query).limit(query.limit + 1).subquery()
    order = _order(query, repositories)
    statement = (
        select(
            repositories,
            repository_cards.c.data,
            repository_cards.c.tags,
            repository_cards.c.library_name,
            repository_cards.c.pipeline_tag,
        )
        .join_from(ids, repositories, ids.c.id == repositories.c.id)
        .outerjoin(repository_cards, repository_cards.c.repository_id == repositories.c.id)
        .order_by(*order)
    )
    rows = connection.execute(statement).all()
    more = len(rows) > query.limit
    rows = rows[: query.limit]
    return Page(rows, _cursor(rows[-1]) if more else None)


def _ids(connection: Connection, identity: Identity, query: Query) -> Select[Any]:
    """The ids of the page, from the narrowest index that there is for the question."""
    conditions = [repositories.c.kind == query.kind, _visible(connection, identity)]
    conditions += [repositories.c.key.contains(word.lower(), autoescape=True) for word in query.words]
    if query.author is not None:
        owner = connection.scalar(select(accounts.c.id).where(accounts.c.key == query.author.lower()))
        conditions.append(repositories.c.owner_id == (-1 if owner is None else owner))
    if query.pipeline_tag is not None:
        card = repository_cards.c
        conditions.append(
            exists().where(card.repository_id == repositories.c.id, card.pipeline_tag == query.pipeline_tag)
        )
    tags = _rarest_first(connection, query.tags)
    conditions += [_has_tag(tag) for tag in tags[1:]]
    if not tags:
        return _ordered(select(repositories.c.id).where(*conditions), query, repositories)
    # The index of the rarest tag has its repositories in order.
    statement = (
        select(repositories.c.id)
        .join_from(repository_tags, repositories, repository_tags.c.repository_id == repositories.c.id)
        .where(repository_tags.c.tag == tags[0], *conditions)
    )
    return _ordered(statement, query, repositories if query.by_creation else repository_tags)


def _ordered(statement: Select[Any], query: Query, source: FromClause) -> Select[Any]:
    """Orders, and starts behind the cursor."""
    number, modified = _keys(source)
    if query.cursor is not None:
        when, last_id = _parse_cursor(query.cursor)
        if query.by_creation:
            after = number > last_id if query.oldest_first else number < last_id
        else:
            place, here = tuple_(modified, number), tuple_(when, last_id)
            after = place > here if query.oldest_first else place < here
        statement = statement.where(after)
    return statement.order_by(*_order(query, source))


def _order(query: Query, source: FromClause) -> list[ColumnElement[Any]]:
    """Ids are given out in the order of creation."""
    number, modified = _keys(source)
    keys = [number] if query.by_creation else [modified, number]
    return [key.asc() if query.oldest_first else key.desc() for key in keys]


def _keys(source: FromClause) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    number = source.c.repository_id if source is repository_tags else source.c.id
    return number, source.c.last_modified


def _visible(connection: Connection, identity: Identity) -> ColumnElement[bool]:
    """Public ones, one's own, and those of one's organisations."""
    if identity.is_admin:
        return always()
    public = repositories.c.private.is_(False)
    if identity.user_id is None:
        return public
    organisations = select(accounts.c.id).where(accounts.c.key.in_(identity.organisations))
    owners = [identity.user_id, *connection.scalars(organisations)]
    return or_(public, repositories.c.owner_id.in_(owners))


def _has_tag(tag: str) -> ColumnElement[bool]:
    other = repository_tags.alias()
    return exists().where(and_(other.c.repository_id == repositories.c.id, other.c.tag == tag))


def _rarest_first(connection: Connection, tags: Sequence[str]) -> list[str]:
    """The tags, each once; counting stops early, since only a rare one is worth knowing."""
    different = list(dict.fromkeys(tags))
    if len(different) < 2:
        return different

    def count(tag: str) -> int:
        some = select(repository_tags.c.repository_id).where(repository_tags.c.tag == tag).limit(_COUNTED).subquery()
        return connection.scalar(select(func.count()).select_from(some)) or 0

    return sorted(different, key=count)


def _cursor(row: Any) -> str:
    """The last change in milliseconds and the id of a page's last row."""
    milliseconds = (row.last_modified - _EPOCH) // timedelta(milliseconds=1)
    return base64.urlsafe_b64encode(f"{milliseconds}-{row.id}".encode()).decode().rstrip("=")


def _parse_cursor(cursor: str) -> tuple[datetime, int]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        milliseconds, number = text.split("-")
        return _EPOCH + timedelta(milliseconds=int(milliseconds[:15])), int(number[:18])
    except (binascii.Error, ValueError, OverflowError):
        raise BadRequest("This cursor is not known: start from the first page.") from None
