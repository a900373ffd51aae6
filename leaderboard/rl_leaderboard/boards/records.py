"""What a board is asked for, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

PAGE_SIZE = 50


@dataclass(frozen=True)
class Query:
    """What is looked for.

    Attributes:
        assignment_id: Whose board.
        limit: Rows of a page.
        search: Words that all have to be in the student's or the agent's name.
        algorithm: Only this one.
        library: Only this one.
        verified: True for verified scores only, False for claims only.
        class_id: Only members of this class.
        after: The cursor of the row before the page.
        before: The cursor of the row behind the page.
        rank: The rank at which the page starts; instead of a cursor.
    """

    assignment_id: str
    limit: int = PAGE_SIZE
    search: str = ""
    algorithm: str = ""
    library: str = ""
    verified: bool | None = None
    class_id: int | None = None
    after: str | None = None
    before: str | None = None
    rank: int | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether rows of the board may be missing."""
        return bool(self.search or self.algorithm or self.library) or self.verified is not None or bool(self.class_id)


@dataclass(frozen=True)
class BoardRow:
    """An agent on a board.

    Attributes:
        rank: From 1.
        submission_id: The submission that counts.
        student: The name or the pseudonym.
        person_id: The person, if there is an account.
        is_public: Whether the student's page may be seen by others.
        agent: The repository; a number if the student has a pseudonym.
        source: The Hub.
        score: What the board ranks by; None without one.
        mean: Mean return.
        std: Standard deviation of the returns.
        low: Lower end of the score's interval, for verified scores.
        high: Upper end.
        n_episodes: Episodes, if known.
        verified: Whether our judge has measured it.
        algorithm: As the card calls it.
        library: As the card calls it.
        submitted_at: The commit's time.
        has_replay: Whether there is a video.
        state: Of the submission.
        student_key: Whose row it is, for "where am I".
        tied_from: First of the ranks that the games played so far do not tell apart, this one among them; None if
            they do, or nobody has asked (see `boards.tied`).
        tied_to: Last of them.
    """

    rank: int
    submission_id: int
    student: str
    person_id: int | None
    is_public: bool
    agent: str
    source: str
    score: float | None
    mean: float | None
    std: float | None
    low: float | None
    high: float | None
    n_episodes: int | None
    verified: bool
    algorithm: str
    library: str
    submitted_at: datetime
    has_replay: bool
    state: str
    student_key: str
    tied_from: int | None = None
    tied_to: int | None = None


@dataclass(frozen=True)
class BoardPage:
    """Rows of a board, and the cursors of the pages beside it; None where there is none."""

    rows: Sequence[BoardRow]
    next: str | None
    previous: str | None
    total: int
