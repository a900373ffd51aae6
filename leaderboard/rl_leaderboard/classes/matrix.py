"""A student and an assignment, as a teacher looks at them: pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["passed", "claimed", "below", "unscored", "waits", "missing"]
STATES: tuple[State, ...] = ("passed", "claimed", "below", "unscored", "waits", "missing")


@dataclass(frozen=True)
class Attempt:
    """A submission that may count, or that a teacher may let count.

    Attributes:
        submission_id: Which.
        submitted_at: The commit's time.
        claimed_score: What the card says; None if it says nothing that can be read.
        verified_score: What the judge measured; None if it has not.
        waits: Whether it waits for a teacher because of an earlier retraction: it does not count until then.
    """

    submission_id: int
    submitted_at: datetime
    claimed_score: float | None
    verified_score: float | None
    waits: bool = False

    @property
    def score(self) -> float | None:
        """What it is ranked by."""
        return self.claimed_score if self.verified_score is None else self.verified_score

    @property
    def is_verified(self) -> bool:
        """Whether our judge has measured it."""
        return self.verified_score is not None


_Scored = tuple[float, Attempt]


@dataclass(frozen=True)
class Cell:
    """How far a student is with an assignment.

    Attributes:
        state: passed: by a verified score, or by a claim where claims pass. claimed: by a claim, which waits for
            verification. below: the threshold is not reached. unscored: there is a submission, but no score.
            waits: all there is waits for a teacher. missing: there is none.
        score: The best of those that the state speaks of.
        verified: Whether our judge has measured it.
        late: Whether the first submission that passes came after the deadline.
        submission_id: The submission with that score.
    """

    state: State
    score: float | None = None
    verified: bool = False
    late: bool = False
    submission_id: int | None = None


def cell(
    attempts: Sequence[Attempt], threshold: float | None, due_at: datetime | None, *, certify_claims: bool = False
) -> Cell:
    """How far a student is with an assignment.

    Args:
        attempts: The student's submissions to it, in any order.
        threshold: The score that passes; None if any score does.
        due_at: The deadline of the class; a commit of that very moment is in time.
        certify_claims: Whether scores that nobody verified pass.
    """
    if not attempts:
        return Cell("missing")
    counting = [attempt for attempt in attempts if not attempt.waits]
    if not counting:
        return Cell("waits", submission_id=_newest(attempts).submission_id)
    scored = [(attempt.score, attempt) for attempt in counting if attempt.score is not None]
    passing = [(score, attempt) for score, attempt in scored if threshold is None or score >= threshold]
    verified = _verified(passing)
    if passing:
        counted = verified or passing
        late = due_at is not None and min(attempt.submitted_at for _, attempt in counted) > due_at
        return _cell("passed" if verified or certify_claims else "claimed", counted, late=late)
    if scored:
        return _cell("below", _verified(scored) or scored, late=False)
    return Cell("unscored", submission_id=_newest(counting).submission_id)


def _newest(attempts: Sequence[Attempt]) -> Attempt:
    return max(attempts, key=lambda attempt: (attempt.submitted_at, attempt.submission_id))


def _verified(scored: list[_Scored]) -> list[_Scored]:
    return [(score, attempt) for score, attempt in scored if attempt.is_verified]


def _cell(state: State, scored: list[_Scored], *, late: bool) -> Cell:
    score, best = max(scored, key=lambda one: (one[0], -one[1].submission_id))
    return Cell(state, score, best.is_verified, late, best.submission_id)
