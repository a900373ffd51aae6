"""What somebody looks for on a board, as addresses and forms carry it."""

from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import quote, urlencode

from fastapi import Depends, Query

from rl_leaderboard.boards import board
from rl_leaderboard.errors import BadRequest

Verified = Literal["", "yes", "no"]
_VERIFIED: dict[Verified, bool | None] = {"": None, "yes": True, "no": False}
_LARGEST = 2**31


@dataclass(frozen=True)
class Filters:
    """What is looked for; empty texts look for everything.

    Attributes:
        search: Words in the student's or the agent's name.
        algorithm: Only this one.
        library: Only this one.
        verified: "yes" for verified scores only, "no" for claims only.
        class_id: Only the students of this class.
    """

    search: str = ""
    algorithm: str = ""
    library: str = ""
    verified: Verified = ""
    class_id: int | None = None

    @property
    def fields(self) -> dict[str, str]:
        """What a form or an address has to carry."""
        found = {
            "search": self.search,
            "algorithm": self.algorithm,
            "library": self.library,
            "verified": self.verified,
            "class": "" if self.class_id is None else str(self.class_id),
        }
        return {name: value for name, value in found.items() if value}

    def address(self, path: str, **more: str | None) -> str:
        """The address of a page with the same filters."""
        given = self.fields | {name: value for name, value in more.items() if value}
        return quote(path) + (f"?{urlencode(given)}" if given else "")

    def query(self, assignment_id: str, *, limit: int = board.PAGE_SIZE, place: "Place | None" = None) -> board.Query:
        """The same for reading a board."""
        place = place or Place()
        return board.Query(
            assignment_id,
            limit=limit,
            search=self.search,
            algorithm=self.algorithm,
            library=self.library,
            verified=_VERIFIED[self.verified],
            class_id=self.class_id,
            after=place.after,
            before=place.before,
            rank=place.rank,
        )


@dataclass(frozen=True)
class Place:
    """Where a page of a board begins; see `board.Query`."""

    after: str | None = None
    before: str | None = None
    rank: int | None = None


# Coroutines that wait for nothing: functions would be called in threads, and the way there takes longer.
async def read_filters(
    search: str = "",
    algorithm: str = "",
    library: str = "",
    verified: str = "",
    class_id: Annotated[str, Query(alias="class")] = "",
) -> Filters:
    """The filters of an address.

    Raises:
        BadRequest: If one of them cannot be.
    """
    if any("\0" in text for text in (search, algorithm, library)):
        raise BadRequest("There is a character in what you look for that no text has.")
    chosen = next((value for value in _VERIFIED if value == verified), None)
    if chosen is None:
        raise BadRequest("Scores are verified, “yes”, or not, “no”; leave it out for both.")
    return Filters(" ".join(search.split()), algorithm, library, chosen, _number(class_id, "A class"))


async def read_place(after: str = "", before: str = "", rank: str = "") -> Place:
    """Where the page of an address begins.

    Raises:
        BadRequest: If the rank is no number.
    """
    return Place(after or None, before or None, _number(rank, "A rank"))


def _number(text: str, what: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 10 or not 1 <= int(text) < _LARGEST:
        raise BadRequest(f"{what} is a number from 1.")
    return int(text)


FiltersOf = Annotated[Filters, Depends(read_filters)]
PlaceOf = Annotated[Place, Depends(read_place)]
