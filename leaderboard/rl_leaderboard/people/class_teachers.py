"""A class that goes on keeps at least one teacher, whatever happens at the same time."""

from sqlalchemy import ColumnElement, Connection, select

from rl_leaderboard.database.tables import classes, members
from rl_leaderboard.errors import Conflict


def hold(connection: Connection, class_id: int) -> None:
    """Lets others who would change the teachers of this class wait until the transaction ends."""
    _hold(connection, classes.c.id == class_id)


def has_another(connection: Connection, class_id: int, person_id: int) -> bool:
    """Whether somebody else than this person teaches a class, which is held."""
    others = (members.c.class_id == class_id) & (members.c.person_id != person_id) & (members.c.role == "teacher")
    return connection.execute(select(members.c.person_id).where(others).limit(1)).first() is not None


def check_dispensable(connection: Connection, person_id: int) -> None:
    """Refuses to let somebody go who is the only teacher of a class; archived ones need none.

    Args:
        connection: A transaction that writes, and is about to delete the person.
        person_id: Whom.

    Raises:
        Conflict: If there is such a class.
    """
    taught = select(members.c.class_id).where(members.c.person_id == person_id, members.c.role == "teacher")
    for class_id, name in _hold(connection, classes.c.id.in_(taught) & classes.c.archived_at.is_(None)):
        if not has_another(connection, class_id, person_id):
            raise Conflict(
                f"You are the only teacher of the class {name}: make somebody else its teacher, or archive it, first."
            )


def _hold(connection: Connection, which: ColumnElement[bool]) -> list[tuple[int, str]]:
    """Locks classes, always in one order; people may still join them."""
    query = select(classes.c.id, classes.c.name).where(which).order_by(classes.c.id)
    return [(row.id, row.name) for row in connection.execute(query.with_for_update(key_share=True))]
