"""Submissions and what was measured of them, for programs."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from rl_leaderboard.boards import assignments
from rl_leaderboard.errors import Conflict, Forbidden
from rl_leaderboard.sources import requested
from rl_leaderboard.submissions import submissions
from rl_leaderboard.web.api import submission_answers as answers
from rl_leaderboard.web.api.models import CSV, ERRORS, SIGNED_IN, Before, Limit
from rl_leaderboard.web.api.submission_models import (
    EpisodeAnswer,
    EpisodesAnswer,
    Receipt,
    SubmissionAnswer,
    SubmissionRequest,
    SubmissionsAnswer,
)
from rl_leaderboard.web.pages import agents as pages
from rl_leaderboard.web.requests import ApiVisitor, ClassroomOf, Number, base_url
from rl_leaderboard.web.visibility import look_at

router = APIRouter(prefix="/api/v1", tags=["submissions"], responses=ERRORS)


@router.get("/me/submissions", dependencies=[SIGNED_IN])
def list_own(
    request: Request, classroom: ClassroomOf, visitor: ApiVisitor, limit: Limit = 20, before: Before = None
) -> SubmissionsAnswer:
    """One's own submissions, newest first."""
    person = visitor.signed_in()
    if person.source is None:
        return SubmissionsAnswer(items=[], next=None)
    with classroom.read() as connection:
        found = submissions.list_of_student(connection, person.source, person.key, limit=limit + 1, before_id=before)
        shown = found[:limit]
        items = answers.summarise(connection, shown, base_url(request))
    return SubmissionsAnswer(items=items, next=str(shown[-1].id) if len(found) > limit else None)


@router.post("/submissions", status_code=202, dependencies=[SIGNED_IN])
def submit(request: Request, classroom: ClassroomOf, visitor: ApiVisitor, body: SubmissionRequest) -> Receipt:
    """Asks the classroom to read one of one's own repositories now; a push to its own Hub arrives by itself."""
    person = visitor.writing()
    found = requested.request(classroom, person, body.repo_id, body.revision)
    if found is None:
        return Receipt(id=None, state="requested", assignment="", url=f"{base_url(request)}/me")
    url = answers.address(base_url(request), found)
    return Receipt(id=found.id, state=found.state, assignment=found.assignment_id, url=url)


@router.get("/submissions/{submission_id}")
def read_submission(
    request: Request, submission_id: Number, classroom: ClassroomOf, visitor: ApiVisitor
) -> SubmissionAnswer:
    """A submission: what its card claims, and everything that was measured of it."""
    with classroom.read() as connection:
        return answers.describe(connection, look_at(connection, visitor, submission_id), base_url(request))


@router.post("/submissions/{submission_id}/declare", dependencies=[SIGNED_IN])
def declare(request: Request, submission_id: Number, classroom: ClassroomOf, visitor: ApiVisitor) -> SubmissionAnswer:
    """Lets one of one's own submissions count, where the assignment leaves the choice to the student."""
    visitor.writing()
    with classroom.write() as connection:
        seen = look_at(connection, visitor, submission_id)
        if not seen.is_own:
            raise Forbidden("Only the student can say which submission counts.")
        settings = assignments.get(connection, seen.submission.assignment_id)
        if settings.counting != "declared" or not seen.submission.counts:
            raise Conflict("This submission cannot be declared: read on its page what counts for this assignment.")
        submissions.declare(connection, seen.submission)
        return answers.describe(connection, look_at(connection, visitor, submission_id), base_url(request))


@router.get("/submissions/{submission_id}/evaluations/{evaluation_id}/episodes")
def read_episodes(
    submission_id: Number, evaluation_id: Number, classroom: ClassroomOf, visitor: ApiVisitor
) -> EpisodesAnswer:
    """Every game of an evaluation, in the order of the seeds."""
    with classroom.read() as connection:
        games = answers.read_games(connection, visitor, submission_id, evaluation_id)
    items = [
        EpisodeAnswer(number=number, episode_return=game.episode_return, length=game.length, truncated=game.truncated)
        for number, game in enumerate(games, start=1)
    ]
    return EpisodesAnswer(items=items)


@router.get(
    "/submissions/{submission_id}/evaluations/{evaluation_id}/episodes.csv", response_class=Response, responses=CSV
)
def download_episodes(
    submission_id: Number, evaluation_id: Number, classroom: ClassroomOf, visitor: ApiVisitor
) -> Response:
    """The same as CSV."""
    return pages.download_episodes(submission_id, evaluation_id, classroom, visitor)
