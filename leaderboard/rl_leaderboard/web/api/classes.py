"""Classes, for programs."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from rl_leaderboard.audit import log
from rl_leaderboard.classes import deadlines, invitations, members, records, roster
from rl_leaderboard.classes.members import Member
from rl_leaderboard.classes.roster import Roster, RosterRow
from rl_leaderboard.web.api.class_models import (
    CellAnswer,
    ClassAnswer,
    ClassesAnswer,
    ClassItem,
    DeadlineAnswer,
    InvitationAnswer,
    InvitationRequest,
    MemberAnswer,
    MembersAnswer,
    OpenInvitation,
    OpenInvitations,
    RosterAnswer,
    RosterRowAnswer,
)
from rl_leaderboard.web.api.models import CSV, ERRORS, SIGNED_IN, Before, Limit
from rl_leaderboard.web.pages.decisions import moment
from rl_leaderboard.web.requests import ApiVisitor, ClassroomOf, Number, base_url
from rl_leaderboard.web.spreadsheets import csv_response

router = APIRouter(prefix="/api/v1", tags=["classes"], responses=ERRORS, dependencies=[SIGNED_IN])

Shown = Annotated[
    Literal["all", "attention"],
    Query(alias="show", description="attention: only students with something late or missing."),
]


@router.get("/classes")
def list_classes(
    classroom: ClassroomOf, visitor: ApiVisitor, limit: Limit = 20, before: Before = None
) -> ClassesAnswer:
    """One's own classes, newest first; for an administrator all of them."""
    visitor.signed_in()
    with classroom.read() as connection:
        found = records.list_of(connection, visitor, limit=limit + 1, before_id=before)
    items = [
        ClassItem(
            id=one.record.id,
            name=one.record.name,
            role=one.role,
            students=one.students,
            teachers=one.teachers,
            archived_at=one.record.archived_at,
        )
        for one in found[:limit]
    ]
    return ClassesAnswer(items=items, next=str(items[-1].id) if len(found) > limit else None)


@router.get("/classes/{class_id}")
def read_class(classroom: ClassroomOf, visitor: ApiVisitor, class_id: Number) -> ClassAnswer:
    """A class that one is in, with its deadlines."""
    visitor.signed_in()
    with classroom.read() as connection:
        record, role = records.find(connection, visitor, class_id)
        due = deadlines.read(connection, class_id)
    expected = [DeadlineAnswer(assignment=one.id, due_at=due.get(one.id)) for one in classroom.course.assignments]
    return ClassAnswer(id=record.id, name=record.name, role=role, archived_at=record.archived_at, deadlines=expected)


@router.get("/classes/{class_id}/roster")
def read_roster(classroom: ClassroomOf, visitor: ApiVisitor, class_id: Number, shown: Shown = "all") -> RosterAnswer:
    """Every student's best score for every assignment; for the teachers of the class."""
    found = _roster(classroom, visitor, class_id, shown)
    return RosterAnswer(
        deadlines=[DeadlineAnswer(assignment=one.assignment.id, due_at=one.due_at) for one in found.columns],
        items=[_row(found, row) for row in found.rows],
    )


@router.get("/classes/{class_id}/roster.csv", response_class=Response, responses=CSV)
def download_roster(classroom: ClassroomOf, visitor: ApiVisitor, class_id: Number, shown: Shown = "all") -> Response:
    """The same as CSV."""
    found = _roster(classroom, visitor, class_id, shown)
    return csv_response(f"class-{class_id}-roster.csv", roster.header(found), roster.table(found))


@router.get("/classes/{class_id}/members")
def list_members(classroom: ClassroomOf, visitor: ApiVisitor, class_id: Number) -> MembersAnswer:
    """Who is in the class, teachers first, in one piece; for the teachers of the class."""
    visitor.signed_in()
    with classroom.read() as connection:
        records.taught(connection, visitor, class_id)
        found = members.list_of_class(connection, class_id)
    return MembersAnswer(items=[_member(one) for one in found])


@router.get("/classes/{class_id}/invitations")
def list_invitations(
    request: Request, classroom: ClassroomOf, visitor: ApiVisitor, class_id: Number
) -> OpenInvitations:
    """The invitations that are still good, the last to expire first; for the teachers of the class."""
    visitor.signed_in()
    with classroom.read() as connection:
        record = records.taught(connection, visitor, class_id)
        # Those of an archived class lead nowhere.
        found = invitations.list_of_class(connection, class_id) if record.archived_at is None else []
    items = [
        OpenInvitation(
            url=f"{base_url(request)}/join/{one.code}" if visitor.may_write else None,
            role=one.role,
            created_at=one.created_at,
            expires_at=one.expires_at,
        )
        for one in found
    ]
    return OpenInvitations(items=items)


@router.post("/classes/{class_id}/invitations", status_code=201)
def create_invitation(
    request: Request, classroom: ClassroomOf, visitor: ApiVisitor, class_id: Number, body: InvitationRequest
) -> InvitationAnswer:
    """Makes an invitation; for the teachers of the class."""
    person = visitor.writing()
    with classroom.write() as connection:
        records.managed(connection, visitor, class_id)
        made = invitations.create(connection, class_id, role=body.role, days=body.days)
        log.record(
            connection, person, "class.invite", f"{made.role}s", class_id=class_id, until=moment(made.expires_at)
        )
    url = f"{base_url(request)}/join/{made.code}"
    return InvitationAnswer(url=url, role=made.role, expires_at=made.expires_at)


def _roster(classroom: ClassroomOf, visitor: ApiVisitor, class_id: int, shown: str) -> Roster:
    visitor.signed_in()
    with classroom.read() as connection:
        records.taught(connection, visitor, class_id)
        claims_pass = classroom.settings.certify_claims
        found = roster.read(connection, class_id, classroom.course, certify_claims=claims_pass)
    return found.needing_attention() if shown == "attention" else found


def _member(member: Member) -> MemberAnswer:
    one = member.person
    return MemberAnswer(
        person=one.id,
        name=one.name,
        full_name=one.full_name,
        pseudonym=one.pseudonym,
        role=member.role,
        joined_at=member.joined_at,
    )


def _row(found: Roster, row: RosterRow) -> RosterRowAnswer:
    cells = [
        CellAnswer(
            assignment=column.assignment.id,
            state=cell.state,
            score=cell.score,
            verified=cell.verified,
            late=cell.late,
            submission=cell.submission_id,
        )
        for column, cell in zip(found.columns, row.cells, strict=True)
    ]
    one = row.person
    return RosterRowAnswer(
        person=one.id, student=one.name, full_name=one.full_name, pseudonym=one.pseudonym, cells=cells
    )
