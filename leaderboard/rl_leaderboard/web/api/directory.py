"""Everybody who has signed in, for administrators' programs."""

from typing import Annotated

from fastapi import APIRouter, Query

from rl_leaderboard.errors import BadRequest
from rl_leaderboard.people import directory
from rl_leaderboard.people.people import Person
from rl_leaderboard.web.api.models import ERRORS, SIGNED_IN, Cursor, Limit, read_number
from rl_leaderboard.web.api.people_models import ListedPerson, PeopleAnswer
from rl_leaderboard.web.requests import ApiVisitor, ClassroomOf

router = APIRouter(prefix="/api/v1", tags=["people"], responses=ERRORS, dependencies=[SIGNED_IN])

Words = Annotated[
    str,
    Query(max_length=directory.LONGEST_SEARCH, description="What a name, full name or pseudonym has in it."),
]


@router.get("/people")
def list_people(
    classroom: ClassroomOf, visitor: ApiVisitor, q: Words = "", limit: Limit = 50, cursor: Cursor = None
) -> PeopleAnswer:
    """Everybody who has signed in, or whom a search finds, in the order of their names; for administrators."""
    visitor.administrator()
    after = None if cursor is None else _read_cursor(cursor)
    with classroom.read() as connection:
        found = directory.search(connection, directory.searchable(q), limit=limit + 1, after=after)
    items = [ListedPerson.model_validate(person) for person in found[:limit]]
    return PeopleAnswer(items=items, next=_write_cursor(found[limit - 1]) if len(found) > limit else None)


def _write_cursor(last: Person) -> str:
    return f"{last.id}-{last.key}"


def _read_cursor(cursor: str) -> tuple[str, int]:
    """Key and id of the last person of the page before.

    Raises:
        BadRequest: If it is not one of ours.
    """
    number, _, key = cursor.partition("-")
    if not key or key != directory.searchable(key):
        raise BadRequest("This cursor was not made here: take `next` of the page before.")
    return key, read_number(number)
