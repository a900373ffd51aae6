"""Who is in which class, as what."""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from rl_leaderboard.database.tables import classes, members
from rl_leaderboard.people.visitor import ClassRole


def roles_of(connection: Connection, person_id: int) -> Mapping[int, ClassRole]:
    """The classes of a person that are not archived, and the role in each."""
    query = (
        select(members.c.class_id, members.c.role)
        .join_from(members, classes, classes.c.id == members.c.class_id)
        .where(members.c.person_id == person_id, classes.c.archived_at.is_(None))
    )
    return {row.class_id: row.role for row in connection.execute(query)}
