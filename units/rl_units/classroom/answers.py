"""What a classroom's API answers, read strictly: nobody's name may reach into somebody else's terminal."""

import json
import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")

_LONGEST_TEXT = 300


@dataclass(frozen=True)
class Receipt:
    """The classroom has taken a repository in, or is going to.

    Attributes:
        id: Of the submission; None as long as the classroom has not read the repository, which lies on another Hub.
        state: How far it is.
        assignment: What it counts for; empty if that is not known yet.
        url: Its page; empty if it has none.
    """

    id: int | None
    state: str
    assignment: str
    url: str


@dataclass(frozen=True)
class Submission:
    """One of the student's own submissions.

    Attributes:
        id: Of the submission.
        repo_id: `<namespace>/<name>`.
        sha: Commit; empty if it has not been read yet.
        assignment: What it counts for; empty if it counts for nothing.
        state: How far it is.
        reason: Why it is no further, for people.
        score: `mean - std`; None without one.
        verified: Whether the classroom has played it; otherwise the score is the card's claim.
        submitted_at: UTC time, ISO 8601.
        rank: Place on the board; None if it is not the one that counts.
        url: Its page.
    """

    id: int
    repo_id: str
    sha: str
    assignment: str
    state: str
    reason: str
    score: float | None
    verified: bool
    submitted_at: str
    rank: int | None
    url: str


@dataclass(frozen=True)
class BoardSummary:
    """A board in the list of boards.

    Attributes:
        id: Of its assignment.
        title: For people.
        env_id: Gymnasium id.
        total: Number of agents.
    """

    id: str
    title: str
    env_id: str
    total: int


@dataclass(frozen=True)
class Place:
    """A row of a board.

    Attributes:
        rank: From 1; None for a row without a score.
        student: Name that the student shows.
        agent: `<namespace>/<name>`.
        score: `mean - std`; None without one.
        low: Lower end of the score's interval; None if there is none.
        high: Its upper end.
        mean: Mean return.
        std: Population standard deviation of the returns.
        n_episodes: Episodes in the score; None where the card does not say.
        verified: See `Submission.verified`.
        algorithm: For people.
        submitted_at: UTC time, ISO 8601.
    """

    rank: int | None
    student: str
    agent: str
    score: float | None
    low: float | None
    high: float | None
    mean: float | None
    std: float | None
    n_episodes: int | None
    verified: bool
    algorithm: str
    submitted_at: str


@dataclass(frozen=True)
class Reference:
    """What an agent that learns nothing scores on the board's assignment."""

    title: str
    score: float | None


@dataclass(frozen=True)
class Board:
    """A board, or its first rows.

    Attributes:
        title: Of the assignment.
        env_id: Gymnasium id.
        threshold: Score that passes; None for an open challenge.
        total: Number of rows that there are.
        places: The rows, best first.
        references: For comparison.
    """

    title: str
    env_id: str
    threshold: float | None
    total: int
    places: tuple[Place, ...]
    references: tuple[Reference, ...]


def printable(text: str) -> str:
    """A text as one line of at most 300 characters, none of which moves a cursor or changes a colour."""
    line = "".join(character if character.isprintable() else " " for character in text[: 4 * _LONGEST_TEXT])
    return " ".join(line.split())[:_LONGEST_TEXT]


def parse(content: bytes) -> Any:
    """Reads JSON.

    Raises:
        ValueError: If it is none, or holds NaN or an infinity.
        RecursionError: If it is nested too deeply.
    """
    return json.loads(content, parse_constant=_refuse_constant)


def read_text(value: Any) -> str:
    """Reads a text, none as an empty one, made printable.

    Raises:
        TypeError: If it is no text.
    """
    if value is not None and not isinstance(value, str):
        raise TypeError("this is no text")
    return printable(value or "")


def read_row(kind: "type[Row]", document: Any) -> "Row":
    """Reads an entry of an answer, field by field, as the type of each field asks.

    Args:
        kind: Dataclass to make.
        document: The entry.

    Raises:
        KeyError: If a field is missing.
        TypeError: If a field is of another kind.
        ValueError: If a number is not finite.
        OverflowError: If a number is too large.
    """
    return kind(**{field.name: _READERS[field.type](document[field.name]) for field in fields(kind)})


def read_board(document: Any, places: tuple[Place, ...]) -> Board:
    """Reads what surrounds the rows of a board; raises as `read_row`.

    Args:
        document: The board's first page.
        places: The rows of this page and of those after it.
    """
    assignment = document["assignment"]
    return Board(
        title=read_text(assignment["title"]),
        env_id=read_text(assignment["env_id"]),
        threshold=_number(assignment["threshold"]),
        total=_whole(document["total"]),
        places=places,
        references=tuple(read_row(Reference, entry) for entry in document["baselines"]),
    )


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number that an answer may hold")


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("this is no number")
    if not math.isfinite(value):
        raise ValueError("this number is not finite")
    return float(value)


def _optional_whole(value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise TypeError("this is no whole number")
    return value


def _whole(value: Any) -> int:
    whole = _optional_whole(value)
    if whole is None:
        raise TypeError("a number is missing")
    return whole


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("this is neither true nor false")
    return value


_READERS: dict[Any, Any] = {
    str: read_text,
    int: _whole,
    int | None: _optional_whole,
    float | None: _number,
    bool: _switch,
}
