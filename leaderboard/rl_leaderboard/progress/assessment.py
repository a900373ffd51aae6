"""What scores and answers amount to: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rl_leaderboard.rules.certification import Level, level
from rl_units.course import Assignment, Course, Unit

State = Literal["passed", "waiting", "below", "unscored", "missing"]


@dataclass(frozen=True)
class Scores:
    """What a student has handed in for an assignment, without what was retracted, is gone or came over the quota.

    Attributes:
        submissions: How many.
        verified: The best score that was measured here, under the current protocol, and confirmed in other games if it
            passes on the board.
        claimed: The best score that a card states and nobody has measured yet.
        counted_id: The submission that stands on the board.
        on_board: The score on the board of the agent that `verified` is of.
        confirmed: Its score in the games of the confirmation; None if it has played none. `verified` is the lower one.
    """

    submissions: int = 0
    verified: float | None = None
    claimed: float | None = None
    counted_id: int | None = None
    on_board: float | None = None
    confirmed: float | None = None


@dataclass(frozen=True)
class AssignmentProgress:
    """One assignment.

    Attributes:
        assignment: The assignment.
        scores: What was reached.
        state: passed; waiting for a verification that would pass it; below the threshold; unscored; or missing, if
            nothing was handed in.
        passed_with: The score that passes, if it does.
        is_verified: Whether that score was measured here.
        points: What is missing to the threshold, if it is below.
    """

    assignment: Assignment
    scores: Scores
    state: State
    passed_with: float | None
    is_verified: bool
    points: float | None


@dataclass(frozen=True)
class QuizProgress:
    """One quiz.

    Attributes:
        questions: How many it has.
        right: How many were answered right, at any attempt.
        right_at_once: How many were answered right at the first attempt.
    """

    questions: int
    right: int = 0
    right_at_once: int = 0


@dataclass(frozen=True)
class UnitProgress:
    """One unit; `quiz` is None if it has none."""

    unit: Unit
    assignments: tuple[AssignmentProgress, ...]
    quiz: QuizProgress | None


@dataclass(frozen=True)
class Progress:
    """The whole course.

    Attributes:
        units: In the order of the course.
        required: Assignments that the certificate asks for.
        passed: How many of them are passed.
        waiting: How many of them wait for their verification.
        level: What is earned.
    """

    units: tuple[UnitProgress, ...]
    required: int
    passed: int
    waiting: int
    level: Level

    @property
    def assignments(self) -> tuple[AssignmentProgress, ...]:
        """Every assignment of the course."""
        return tuple(assignment for unit in self.units for assignment in unit.assignments)

    @property
    def next_step(self) -> str:
        """What is missing for the next certificate, as a sentence; empty if nothing is."""
        if not self.required:
            return "The course has no required assignment yet, so there is no certificate to earn."
        if self.level == "excellence":
            return ""
        aims = ("excellence",) if self.level == "completion" else ("completion", "excellence")
        wanted = next(n for n in range(self.required + 1) if level(n, self.required) in aims)
        count, aim = wanted - self.passed, level(wanted, self.required)
        sentence = f"{count} more required assignment{'' if count == 1 else 's'} to pass for the certificate of {aim}."
        if self.waiting:
            verb = "waits" if self.waiting == 1 else "wait"
            sentence += f" {self.waiting} {verb} for verification."
        return sentence


def assess(
    course: Course, scores: Mapping[str, Scores], quizzes: Mapping[str, QuizProgress], *, certify_claims: bool
) -> Progress:
    """What scores and answers amount to.

    Args:
        course: The course.
        scores: By assignment; nothing was handed in for those that are left out.
        quizzes: By unit.
        certify_claims: Whether scores that nobody verified pass.
    """
    units = tuple(
        UnitProgress(
            unit,
            tuple(assess_one(a, scores.get(a.id, Scores()), certify_claims=certify_claims) for a in unit.assignments),
            quizzes.get(unit.id),
        )
        for unit in course.units
    )
    required = [found for unit in units for found in unit.assignments if found.assignment.required]
    passed = sum(found.state == "passed" for found in required)
    waiting = sum(found.state == "waiting" for found in required)
    return Progress(units, len(required), passed, waiting, level(passed, len(required)))


def assess_one(assignment: Assignment, scores: Scores, *, certify_claims: bool) -> AssignmentProgress:
    """What the scores of one assignment amount to; see `assess`."""
    verified, claimed = scores.verified, scores.claimed
    points = None
    if verified is not None and assignment.passed_by(verified):
        return AssignmentProgress(assignment, scores, "passed", verified, True, None)
    if claimed is not None and assignment.passed_by(claimed):
        if certify_claims:
            return AssignmentProgress(assignment, scores, "passed", claimed, False, None)
        state: State = "waiting"
    elif assignment.threshold is not None and (verified is not None or claimed is not None):
        best = max(score for score in (verified, claimed) if score is not None)
        state, points = "below", assignment.threshold - best
    else:
        state = "unscored" if scores.submissions else "missing"
    return AssignmentProgress(assignment, scores, state, None, False, points)
