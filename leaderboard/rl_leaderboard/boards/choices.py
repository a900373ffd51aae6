"""What a board can be filtered by."""

from sqlalchemy import ColumnElement, Connection, Select, func, select

from rl_leaderboard.database.tables import standings

_MOST_CHOICES = 100


def list_choices(connection: Connection, assignment_id: str) -> tuple[list[str], list[str]]:
    """The algorithms and the libraries on a board, each in the order of the alphabet; the first hundred."""
    return _different(connection, assignment_id, "algorithm"), _different(connection, assignment_id, "library")


def _different(connection: Connection, assignment_id: str, column: str) -> list[str]:
    """Values of a column: each is looked up in its index after the one before, which is quicker than to read all."""

    def following(value: ColumnElement[str] | str) -> Select[tuple[str | None]]:
        rows = standings.alias()
        smallest = func.min(rows.c[column]).label("value")
        return select(smallest).where(rows.c.assignment_id == assignment_id, rows.c[column] > value)

    seen = following("").cte("seen", recursive=True)
    seen = seen.union_all(select(following(seen.c.value).scalar_subquery()).where(seen.c.value.is_not(None)))
    found = select(seen.c.value).where(seen.c.value.is_not(None)).limit(_MOST_CHOICES)
    return list(connection.scalars(found))
