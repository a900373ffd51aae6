"""Boards: the list of them, a page of one, and all of one as a table for spreadsheets."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from rl_leaderboard.boards import assignments, board, tied
from rl_leaderboard.boards.assignments import AssignmentSettings
from rl_leaderboard.classes import records as classes
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.people.visitor import Visitor
from rl_leaderboard.sources import states
from rl_leaderboard.web.kept_pages import asks_for_part
from rl_leaderboard.web.pages.board_filters import Filters, FiltersOf, PlaceOf
from rl_leaderboard.web.pages.kept_boards import BoardRows, KeptBoards
from rl_leaderboard.web.pages.site import redirect, show
from rl_leaderboard.web.pages.yardsticks import read_baselines, unit_of
from rl_leaderboard.web.requests import ClassroomOf, PageVisitor, base_url
from rl_leaderboard.web.spreadsheets import Value, csv_response
from rl_units.course import Assignment

router = APIRouter(include_in_schema=False)

_MOST_CLASSES = 100
_COLUMNS = (
    *("rank", "tied_from", "tied_to", "student", "agent"),
    *("score", "low", "high", "mean", "std", "episodes", "verified"),
    *("algorithm", "library", "submitted_at", "address"),
)


@router.get("/boards")
def list_boards(request: Request, classroom: ClassroomOf, visitor: PageVisitor) -> Response:
    """Every board with its leader, unit by unit."""
    with classroom.read() as connection:
        units = [
            (unit, [_summary(connection, assignment) for assignment in unit.assignments])
            for unit in classroom.course.units
        ]
    return show(request, visitor, "boards.html", section="boards", units=units)


@router.get("/boards/{assignment_id}.csv")
def download_board(
    request: Request, assignment_id: str, classroom: ClassroomOf, visitor: PageVisitor, filters: FiltersOf
) -> Response:
    """All rows that are looked for, as CSV.

    Raises:
        NotFound: If there is no such board, or no such class for this visitor.
    """
    assignment = assignments.by_id(classroom.course, assignment_id)
    with classroom.read() as connection:
        _check_class(connection, visitor, filters)
    query = filters.query(assignment.id)
    board.check(query)
    rows = _rows(classroom, request.app.state.kept_boards, query, base_url(request))
    return csv_response(f"{assignment.id}.csv", _COLUMNS, rows)


@router.get("/boards/{assignment_id}/me")
def find_me(assignment_id: str, classroom: ClassroomOf, visitor: PageVisitor) -> Response:
    """Leads to the page of the board that the visitor stands on.

    Raises:
        NotFound: If there is no such board.
        Unauthorized: If nobody is signed in.
    """
    assignment = assignments.by_id(classroom.course, assignment_id)
    visitor.signed_in()
    with classroom.read() as connection:
        rank = _own_rank(connection, assignment.id, visitor)
    address = Filters().address(f"/boards/{assignment.id}")
    if rank is None:
        return redirect(address)
    first = rank - (rank - 1) % board.PAGE_SIZE
    return redirect(f"{address}?rank={first}#me" if first > 1 else f"{address}#me")


@router.get("/boards/{assignment_id}")
def show_board(
    request: Request,
    assignment_id: str,
    classroom: ClassroomOf,
    visitor: PageVisitor,
    filters: FiltersOf,
    place: PlaceOf,
) -> Response:
    """A page of a board; for a script that asks for a part of it, the rows alone.

    Raises:
        BadRequest: If the address asks for what cannot be.
        NotFound: If there is no such board, or no such class for this visitor.
    """
    assignment = assignments.by_id(classroom.course, assignment_id)
    is_part = asks_for_part(request.scope)
    kept: KeptBoards = request.app.state.kept_boards
    generation = kept.generation(assignment.id)
    with classroom.read() as connection:
        _check_class(connection, visitor, filters)
        query = filters.query(assignment.id, place=place)
        rows = kept.read_rows(connection, assignment, query, generation)
        context = _describe(connection, assignment, visitor, filters, query, rows)
        if not is_part:
            algorithms, libraries = kept.read_choices(connection, assignment.id, generation)
            context |= {"algorithms": algorithms, "libraries": libraries}
            context |= _read_around(connection, classroom, assignment, visitor)
    here = f"/boards/{assignment.id}" + (f"?{request.url.query}" if request.url.query else "")
    template = "board_rows.html" if is_part else "board.html"
    response = show(
        request, visitor, template, section="boards", depends_on=assignment.id, filters=filters, here=here, **context
    )
    response.headers["Vary"] = "Cookie, HX-Request"
    return response


def _summary(connection: Connection, assignment: Assignment) -> tuple[Assignment, board.BoardPage]:
    """A board with its first row and its number of rows."""
    return assignment, board.read_page(connection, board.Query(assignment.id, limit=1))


def _describe(
    connection: Connection,
    assignment: Assignment,
    visitor: Visitor,
    filters: Filters,
    query: board.Query,
    rows: BoardRows,
) -> dict[str, Any]:
    """What the part with the rows needs."""
    path = f"/boards/{assignment.id}"
    page = rows.page
    is_first = query.after is None and query.before is None and (query.rank or 1) == 1
    return {
        "assignment": assignment,
        "page": page,
        "groups": rows.groups,
        "rendered": rows.rendered,
        "own_rank": _own_rank(connection, assignment.id, visitor),
        "me": None if visitor.person is None else (visitor.person.source, visitor.person.key),
        "first": None if is_first else filters.address(path),
        "previous": filters.address(path, before=page.previous) if page.previous else None,
        "next": filters.address(path, after=page.next) if page.next else None,
        "is_filtered": query.is_filtered,
        "csv": filters.address(f"{path}.csv"),
    }


def _read_around(
    connection: Connection, classroom: Classroom, assignment: Assignment, visitor: Visitor
) -> dict[str, Any]:
    """What stands around the rows."""
    settings: AssignmentSettings = assignments.get(connection, assignment.id)
    return {
        "settings": settings,
        "unit": unit_of(classroom.course, assignment),
        "baselines": read_baselines(classroom.course, assignment),
        "classes": _class_names(connection, visitor),
        "freshness": states.freshness(connection, classroom.settings),
    }


def _class_names(connection: Connection, visitor: Visitor) -> Mapping[int, str]:
    if visitor.person is None:
        return {}
    found = classes.list_of(connection, visitor, limit=_MOST_CLASSES)
    return {listed.record.id: listed.record.name for listed in found if listed.record.archived_at is None}


def _check_class(connection: Connection, visitor: Visitor, filters: Filters) -> None:
    """Lets only members and teachers look at a class."""
    if filters.class_id is not None:
        classes.find(connection, visitor, filters.class_id)


def _own_rank(connection: Connection, assignment_id: str, visitor: Visitor) -> int | None:
    if visitor.person is None or visitor.person.source is None:
        return None
    return board.rank_of(connection, assignment_id, visitor.person.source, visitor.person.key)


def _rows(classroom: Classroom, kept: KeptBoards, query: board.Query, site: str) -> Iterator[Sequence[Value]]:
    """The rows of the CSV, read in short transactions while they are sent: whoever receives them may be slow."""
    end: board.Position | None = board.START
    while end is not None:
        generation = kept.generation(query.assignment_id)
        with classroom.read() as connection:
            rows, end = board.read_stretch(connection, query, end)
            ties = kept.read_ties(connection, query.assignment_id, generation)
        for row in tied.mark(rows, ties):
            yield _cells(row, site)


def _cells(row: board.BoardRow, site: str) -> Sequence[Value]:
    measures = (row.score, row.low, row.high, row.mean, row.std)
    return (
        *(row.rank, row.tied_from, row.tied_to, row.student, row.agent),
        *(None if value is None else round(value, 2) for value in measures),
        row.n_episodes,
        *(row.verified, row.algorithm, row.library, row.submitted_at.isoformat(timespec="seconds")),
        f"{site}/agents/{row.submission_id}",
    )
