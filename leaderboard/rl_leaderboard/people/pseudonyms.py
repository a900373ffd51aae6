"""Pseudonyms: nobody goes by a name that others may take for somebody else's."""

import secrets
import unicodedata

from sqlalchemy import Connection, select, update

from rl_leaderboard.database.tables import people, submissions
from rl_leaderboard.people import work


def folded(name: str) -> str:
    """A name as two are compared that must not be mistaken for each other."""
    return unicodedata.normalize("NFKC", name).casefold()


def is_taken(connection: Connection, person_id: int, wished: str) -> bool:
    """Whether somebody else goes by a name, or has handed something in under it."""
    others = select(people.c.name, people.c.pseudonym).where(people.c.id != person_id)
    names = {folded(name) for row in connection.execute(others) for name in row if name}
    handed_in = select(submissions.c.id).where(submissions.c.student_key == wished.lower()).limit(1)
    return folded(wished) in names or connection.scalar(handed_in) is not None


def keep_apart(connection: Connection, person_id: int, name: str) -> None:
    """Takes a pseudonym away that is the name of somebody who has just arrived.

    Its owner gets another one, and not the own name: else anybody could uncover a pseudonym by arriving under it.
    """
    others = select(people).where(people.c.pseudonym.is_not(None), people.c.id != person_id)
    for row in connection.execute(others).all():
        if folded(row.pseudonym) == folded(name):
            neutral = f"student-{secrets.token_hex(4)}"
            connection.execute(update(people).where(people.c.id == row.id).values(pseudonym=neutral))
            work.show_anew(connection, row.source, row.key)
