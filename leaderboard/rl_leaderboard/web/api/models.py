"""What all routes of the API share: errors, pages of lists, and who signs in, as OpenAPI documents them."""

from typing import Annotated, Any

from fastapi import Depends, Query, Security
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from rl_leaderboard.errors import BadRequest

LARGEST_PAGE = 100
LONGEST_CURSOR = 300
_MOST_DIGITS = 18

Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="How many items at most.")]
Cursor = Annotated[
    str | None, Query(max_length=LONGEST_CURSOR, description="`next` of the page before; leave it out for the first.")
]


def read_number(text: str) -> int:
    """A number that a cursor holds.

    Raises:
        BadRequest: If it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise BadRequest("This cursor was not made here: take `next` of the page before.")
    return int(text)


async def _read_cursor(cursor: Cursor = None) -> int | None:
    # A coroutine that waits for nothing, so that it is not called in a thread.
    return None if cursor is None else read_number(cursor)


Before = Annotated[int | None, Depends(_read_cursor)]
"""What a page continues from where the newest come first: the last one of the page before."""
After = Annotated[int, Query(ge=0, le=2**62, description="Only what followed this activity.")]

# It documents the token; who has it is found out by `requests.visitor_by_token`, with sentences of our own.
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="An access token of this classroom, or of its embedded Hub. A browser that is signed in may read.",
)
SIGNED_IN = Security(_bearer)
"""For routes that need somebody."""


class Answer(BaseModel):
    """What an answer is made of."""

    model_config = ConfigDict(from_attributes=True)


class Error(Answer):
    """Why a request was refused."""

    error: str = Field(description="A sentence for a person.")
    code: str = Field(description="What programs tell errors apart by.")
    status: int = Field(description="The HTTP status.")


ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Error, "description": "Refused; the sentence says why."},
    "5XX": {"model": Error, "description": "Not possible at the moment."},
}
"""For every router of the API."""
CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
"""For routes that answer a table for spreadsheets."""
