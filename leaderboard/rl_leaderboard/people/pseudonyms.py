"""Pseudonyms: nobody goes by a name that others may take for somebody else's."""

import secrets

from sqlalchemy import Connection, select, update

from rl_leaderboard.database.tables import people, submissions
from rl_leaderboard.people import work
from rl_leaderboard.rules.lookalikes import folded


def is_taken(connection: Connection, person_id: int, wished: str) -> bool:
    """Whether somebody else goes by a name, or has handed something in under it.

    Call it while the boards are held: else two people could take the same name at once.
    """
    others = select(people.c.name, people.c.pseudonym).where(people.c.id != person_id)
    names = {name for row in connection.execute(others) for name in row if name}
    names.update(connection.scalars(select(submissions.c.student_key).distinct()))
    return folded(wished) in {folded(name) for name in names}


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
