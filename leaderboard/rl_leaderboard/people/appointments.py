"""Who administers the site: by a decision that was made here, or by appointment.

Appointed is whom the issuer calls an administrator, or the operator's list names, and only as long as they do. What
was decided here is kept apart, so that it is there again when the appointment ends.
"""

from collections.abc import Collection

from sqlalchemy import Connection, or_, select

from rl_leaderboard.database.tables import people
from rl_leaderboard.errors import Conflict


def is_appointed(name: str, admins: Collection[str], *, by_issuer: bool) -> bool:
    """Whether somebody is an administrator whatever was decided here.

    Args:
        name: The account's name.
        admins: The operator's list.
        by_issuer: Whether whoever vouches for the person says so.
    """
    return by_issuer or name.lower() in {admin.lower() for admin in admins}


def keep_an_administrator(connection: Connection, person_id: int) -> None:
    """Refuses to let the last administrator go; two who do it at once wait for each other.

    Raises:
        Conflict: If there is no other one.
    """
    administers = or_(people.c.is_appointed, people.c.role == "admin")
    query = select(people.c.id).where(administers).order_by(people.c.id).with_for_update()
    if list(connection.scalars(query)) == [person_id]:
        raise Conflict("This is the only administrator of the site: make somebody else one first.")
