"""Everybody who has an account, for administrators."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, or_, select, tuple_

from rl_leaderboard.database.tables import people
from rl_leaderboard.people.people import Person, to_person

LONGEST_SEARCH = 100


def searchable(text: str) -> str:
    """Words of a search: what no name can have in it finds nobody, and no database takes."""
    return "".join(character for character in text[:LONGEST_SEARCH] if character.isprintable()).strip()


def search(
    connection: Connection, words: str = "", *, limit: int, after: tuple[str, int] | None = None
) -> Sequence[Person]:
    """People by name.

    Args:
        connection: A transaction.
        words: What the name, the full name or the pseudonym has in it, in any case; empty for everybody.
        limit: How many at most.
        after: Key and id of the last one of the page before.
    """
    query = select(people).order_by(people.c.key, people.c.id).limit(limit)
    if words:
        columns = (people.c.key, func.lower(people.c.full_name), func.lower(people.c.pseudonym))
        query = query.where(or_(*(column.contains(words.lower(), autoescape=True) for column in columns)))
    if after is not None:
        query = query.where(tuple_(people.c.key, people.c.id) > after)
    return [to_person(row) for row in connection.execute(query)]
