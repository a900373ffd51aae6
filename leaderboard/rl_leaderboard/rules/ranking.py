"""Who stands before whom on a board, and which of a student's submissions counts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Tier = Literal[0, 1, 2]
VERIFIED: Tier = 0
CLAIMED: Tier = 1
UNSCORED: Tier = 2

CountingRule = Literal["best", "latest", "declared"]
SortKey = tuple[int, float, float, int, int]


@dataclass(frozen=True)
class Candidate:
    """A submission that may count for its student.

    Attributes:
        submission_id: Grows with every submission.
        tier: `VERIFIED`, `CLAIMED` or `UNSCORED`.
        score: Mean minus standard deviation; None without a score.
        mean: Mean return; None without a score.
        submitted_us: When it arrived, microseconds since 1970.
        declared: Whether the student has named it as the one to count.
    """

    submission_id: int
    tier: Tier
    score: float | None
    mean: float | None
    submitted_us: int
    declared: bool


def sort_key(tier: Tier, score: float | None, mean: float | None, submitted_at_us: int, submission_id: int) -> SortKey:
    """The key by which a board is sorted, smallest first; no two submissions have the same.

    Verified scores stand before claims. Then the higher score, the higher mean, and the earlier arrival decide.

    Args:
        tier: `VERIFIED`, `CLAIMED` or `UNSCORED`.
        score: Mean minus standard deviation; None stands last in its tier.
        mean: Mean return; None stands last among equal scores.
        submitted_at_us: Arrival, microseconds since 1970.
        submission_id: Grows with every submission.

    Raises:
        ValueError: If a number is not finite.
    """
    return tier, _descending(score), _descending(mean), submitted_at_us, submission_id


def counted(candidates: Sequence[Candidate], rule: CountingRule) -> Candidate | None:
    """The submission that counts.

    Args:
        candidates: All submissions of one student to one assignment, in any order.
        rule: "best" is the one that ranks highest; "latest" the newest; "declared" the newest that the student has
            named, or the newest of all as long as none is named.

    Returns:
        None if there are no candidates.

    Raises:
        ValueError: If a number is not finite.
    """
    if not candidates:
        return None
    if rule == "best":
        return min(candidates, key=_rank)
    declared = [candidate for candidate in candidates if candidate.declared] if rule == "declared" else []
    return max(declared or candidates, key=lambda candidate: (candidate.submitted_us, candidate.submission_id))


def _rank(candidate: Candidate) -> SortKey:
    return sort_key(candidate.tier, candidate.score, candidate.mean, candidate.submitted_us, candidate.submission_id)


def _descending(value: float | None) -> float:
    if value is None:
        return math.inf
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a finite number, so it has no rank.")
    return -value
