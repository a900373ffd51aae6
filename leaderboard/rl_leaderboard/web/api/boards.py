"""Boards, for programs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy import Connection, func, select
from starlette.responses import Response

from rl_leaderboard.boards import assignments, board, tied
from rl_leaderboard.boards.board import BoardRow
from rl_leaderboard.classes import records as classes
from rl_leaderboard.database.tables import standings
from rl_leaderboard.web.api.board_models import (
    AssignmentAnswer,
    BaselineAnswer,
    BoardAnswer,
    BoardRowAnswer,
    BoardsAnswer,
    BoardSummary,
)
from rl_leaderboard.web.api.models import CSV, ERRORS, Cursor, Limit
from rl_leaderboard.web.pages import boards as pages
from rl_leaderboard.web.pages.board_filters import FiltersOf, Place
from rl_leaderboard.web.pages.kept_boards import KeptBoards
from rl_leaderboard.web.pages.yardsticks import read_baselines
from rl_leaderboard.web.requests import ApiVisitor, ClassroomOf, base_url
from rl_units.baselines import Baseline
from rl_units.course import Assignment

router = APIRouter(prefix="/api/v1", tags=["boards"], responses=ERRORS)


@router.get("/boards")
def list_boards(request: Request, classroom: ClassroomOf) -> BoardsAnswer:
    """All boards, in the order of the course."""
    with classroom.read() as connection:
        totals = _totals(connection)
    return BoardsAnswer(
        items=[
            BoardSummary(
                id=assignment.id,
                title=assignment.title,
                env_id=assignment.env_id,
                total=totals.get(assignment.id, 0),
                threshold=assignment.threshold,
                url=f"{base_url(request)}/boards/{assignment.id}",
            )
            for assignment in classroom.course.assignments
        ]
    )


# Before the board itself, whose address would take this one's ending for a part of the name.
@router.get("/boards/{assignment_id}.csv", response_class=Response, responses=CSV)
def download_board(
    request: Request, assignment_id: str, classroom: ClassroomOf, visitor: ApiVisitor, filters: FiltersOf
) -> Response:
    """All rows of a board that are looked for, as CSV."""
    return pages.download_board(request, assignment_id, classroom, visitor, filters)


@router.get("/boards/{assignment_id}")
def read_board(
    request: Request,
    assignment_id: str,
    classroom: ClassroomOf,
    visitor: ApiVisitor,
    filters: FiltersOf,
    limit: Limit = board.PAGE_SIZE,
    cursor: Cursor = None,
    rank: Annotated[int | None, Query(ge=1, lt=2**31, description="Start here, instead of at a cursor.")] = None,
) -> BoardAnswer:
    """A page of a board, best first."""
    assignment = assignments.by_id(classroom.course, assignment_id)
    place = Place(after=cursor, rank=None if cursor else rank)
    kept: KeptBoards = request.app.state.kept_boards
    generation = kept.generation(assignment.id)
    with classroom.read() as connection:
        if filters.class_id is not None:
            classes.find(connection, visitor, filters.class_id)
        page = board.read_page(connection, filters.query(assignment.id, limit=limit, place=place))
        rows = tied.mark(page.rows, kept.read_ties(connection, assignment.id, generation))
        settings = assignments.get(connection, assignment.id)
    return BoardAnswer(
        assignment=describe_assignment(assignment),
        items=[_row(row, base_url(request)) for row in rows],
        next=page.next,
        total=page.total,
        baselines=[_baseline(baseline) for baseline in read_baselines(classroom.course, assignment)],
        counting=settings.counting,
        frozen_at=settings.frozen_at,
    )


def describe_assignment(assignment: Assignment) -> AssignmentAnswer:
    """An assignment as programs read it."""
    return AssignmentAnswer(
        id=assignment.id,
        title=assignment.title,
        env_id=assignment.env_id,
        aliases=list(assignment.aliases),
        threshold=assignment.threshold,
        required=assignment.required,
        protocol_version=assignment.protocol.version,
        n_episodes=assignment.protocol.n_episodes,
    )


def _totals(connection: Connection) -> dict[str, int]:
    counted = select(standings.c.assignment_id, func.count().label("total")).group_by(standings.c.assignment_id)
    return {row.assignment_id: row.total for row in connection.execute(counted)}


def _row(row: BoardRow, site: str) -> BoardRowAnswer:
    shown = {name: getattr(row, name) for name in BoardRowAnswer.model_fields if hasattr(row, name)}
    return BoardRowAnswer(**shown, submission=row.submission_id, url=f"{site}/agents/{row.submission_id}")


def _baseline(baseline: Baseline) -> BaselineAnswer:
    result = baseline.result
    return BaselineAnswer(
        name=baseline.name,
        title=baseline.title,
        score=result.score,
        mean=result.mean_reward,
        std=result.std_reward,
        n_episodes=result.n_episodes,
    )
