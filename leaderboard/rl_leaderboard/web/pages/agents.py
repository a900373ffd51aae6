"""An agent: what its author claims of it, and what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import Response

from rl_leaderboard.boards import assignments, board
from rl_leaderboard.charts.distribution import draw_distribution
from rl_leaderboard.errors import Conflict, Forbidden, NotFound
from rl_leaderboard.people.visitor import Visitor
from rl_leaderboard.submissions import evaluations, presence, rejudging, submissions
from rl_leaderboard.submissions.evaluations import Episode, Evaluation
from rl_leaderboard.submissions.submissions import Submission
from rl_leaderboard.web import submission_decisions
from rl_leaderboard.web.pages import agent_facts
from rl_leaderboard.web.pages.hub_links import hub_links
from rl_leaderboard.web.pages.site import redirect, show
from rl_leaderboard.web.requests import ClassroomOf, Number, PageVisitor, hub_url, read_form
from rl_leaderboard.web.spreadsheets import csv_response
from rl_leaderboard.web.visibility import Seen, look_at
from rl_units.course import Assignment, Course

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Measured:
    """An evaluation as the page shows it.

    Attributes:
        evaluation: What was measured.
        episodes: Every game.
        chart: How the returns are distributed.
        counts: Whether it is the submission's score.
        is_current: Whether it was played under the protocol's version of today.
    """

    evaluation: Evaluation
    episodes: Sequence[Episode]
    chart: Markup
    counts: bool
    is_current: bool


@router.get("/agents/{submission_id}/evaluations/{evaluation_id}.csv")
def download_episodes(
    submission_id: Number, evaluation_id: Number, classroom: ClassroomOf, visitor: PageVisitor
) -> Response:
    """Every game of an evaluation, as CSV.

    Raises:
        NotFound: If there is no such evaluation that the visitor may see.
    """
    with classroom.read() as connection:
        seen = look_at(connection, visitor, submission_id)
        found = evaluations.list_of_submission(connection, seen.submission.id)
        if evaluation_id not in {evaluation.id for evaluation in found}:
            raise NotFound("This submission has no such evaluation.")
        episodes = evaluations.read_episodes(connection, evaluation_id)
    rows = [
        (number, episode.episode_return, episode.length, episode.truncated)
        for number, episode in enumerate(episodes, start=1)
    ]
    name = f"agent-{submission_id}-evaluation-{evaluation_id}.csv"
    return csv_response(name, ("episode", "return", "length", "truncated"), rows)


@router.post("/agents/{submission_id}/declare", dependencies=[Depends(read_form)])
def declare(submission_id: Number, classroom: ClassroomOf, visitor: PageVisitor) -> Response:
    """Notes that the student wants this submission to count.

    Raises:
        Conflict: If the assignment does not leave that to students, or the submission cannot count.
        Forbidden: If it is somebody else's.
        NotFound: If there is no such submission that the visitor may see.
    """
    visitor.writing()
    with classroom.write() as connection:
        seen = look_at(connection, visitor, submission_id)
        if not seen.is_own:
            raise Forbidden("Only the student can say which submission counts.")
        settings = assignments.get(connection, seen.submission.assignment_id)
        if settings.counting != "declared" or not seen.submission.counts:
            raise Conflict("This submission cannot be declared: read on its page what counts for this assignment.")
        submissions.declare(connection, seen.submission)
    return redirect(f"/agents/{submission_id}")


@router.get("/agents/{submission_id}")
def show_agent(request: Request, submission_id: Number, classroom: ClassroomOf, visitor: PageVisitor) -> Response:
    """A submission with everything that is known of it.

    Raises:
        NotFound: If there is no such submission that the visitor may see.
    """
    with classroom.read() as connection:
        seen = look_at(connection, visitor, submission_id)
        context = _read(connection, classroom.course, seen)
        season = classroom.settings.season
        has_played = rejudging.has_played_all(connection, submission_id, context["assignment"], season)
    hub = hub_url(request)
    return show(
        request,
        visitor,
        "agent.html",
        section="boards",
        depends_on=seen.submission.assignment_id,
        links=hub_links(seen.submission, hub) if seen.may_know_name else None,
        claims_pass=classroom.settings.certify_claims,
        played_all=submission_decisions.played_all(season) if has_played else "",
        may_declare=_may_declare(visitor, seen, context["settings"]),
        **context,
    )


def _read(connection: Connection, course: Course, seen: Seen) -> dict[str, Any]:
    """What the page needs of the database, and says of it."""
    submission = seen.submission
    assignment = assignments.by_id(course, submission.assignment_id)
    settings = assignments.get(connection, submission.assignment_id)
    measured = _measure(connection, submission, assignment, settings.protocol_version)
    counted = next((one.evaluation for one in measured if one.counts), None)
    return {
        "seen": seen,
        "submission": submission,
        "student": seen.student,
        "name": seen.agent.rpartition("/")[2],
        "assignment": assignment,
        "settings": settings,
        "measured": measured,
        "counted": counted,
        "retraction": agent_facts.end_sentence(submission.retraction),
        "state": agent_facts.tell_state(
            submission, assignment.protocol.n_episodes, presence.progress_of(connection, submission.id)
        ),
        "figures": agent_facts.list_figures(submission, counted),
        "comparison": agent_facts.compare(submission, counted),
        "certificate": agent_facts.tell_certificate(counted),
        "is_unconfirmed": counted is not None
        and counted.confirmation is not None
        and not assignment.passed_by(counted.confirmation),
        "rank": board.rank_of_submission(connection, submission.id),
        "student_stands": board.rank_of(connection, assignment.id, submission.source, submission.student_key)
        is not None,
        "history": _history(connection, seen),
        "replay": _replay(measured),
    }


def _measure(
    connection: Connection, submission: Submission, assignment: Assignment, current_version: int
) -> list[Measured]:
    found = []
    for evaluation in evaluations.list_of_submission(connection, submission.id):
        episodes = evaluations.read_episodes(connection, evaluation.id)
        returns = [episode.episode_return for episode in episodes]
        found.append(
            Measured(
                evaluation,
                episodes,
                draw_distribution(returns, mean=evaluation.mean, threshold=assignment.threshold),
                counts=evaluation.id == submission.evaluation_id,
                is_current=evaluation.protocol_version == current_version,
            )
        )
    return found


def _history(connection: Connection, seen: Seen) -> list[Submission]:
    """The commits of the same repository that the visitor may see, newest first."""
    submission = seen.submission
    if not seen.may_know_name:
        return []
    found = submissions.list_of_repository(connection, submission.source, submission.repo_id, submission.assignment_id)
    return [other for other in found if seen.is_inside or not (other.retracted_at or other.gone_at)]


def _replay(measured: Sequence[Measured]) -> str | None:
    """The judge's own video of the evaluation that counts, or of the newest."""
    videos = [one.evaluation.replay for one in sorted(measured, key=lambda one: not one.counts)]
    return next((video for video in videos if video is not None), None)


def _may_declare(visitor: Visitor, seen: Seen, settings: assignments.AssignmentSettings) -> bool:
    return seen.is_own and visitor.may_write and settings.counting == "declared" and seen.submission.counts
