"""What was decided, for programs: in a class, by teachers of the site, and everything."""

from collections.abc import Sequence

from fastapi import APIRouter

from rl_leaderboard.audit import log
from rl_leaderboard.audit.log import Entry
from rl_leaderboard.classes import records
from rl_leaderboard.web.api.log_models import DecisionAnswer, DecisionsAnswer, ToldDecision, ToldDecisions
from rl_leaderboard.web.api.models import ERRORS, SIGNED_IN, Before, Limit
from rl_leaderboard.web.pages.decisions import Told, sentence, tell
from rl_leaderboard.web.requests import ApiVisitor, ClassroomOf, Number

router = APIRouter(prefix="/api/v1", tags=["logs"], responses=ERRORS, dependencies=[SIGNED_IN])


@router.get("/classes/{class_id}/log")
def read_class_log(
    classroom: ClassroomOf, visitor: ApiVisitor, class_id: Number, limit: Limit = 50, before: Before = None
) -> DecisionsAnswer:
    """What was decided in a class, newest first; for the teachers of the class."""
    visitor.signed_in()
    with classroom.read() as connection:
        records.taught(connection, visitor, class_id)
        found = log.latest(connection, limit + 1, before_id=before, class_id=class_id)
    return _page(found, limit)


@router.get("/log")
def read_log_of_teachers(
    classroom: ClassroomOf, visitor: ApiVisitor, limit: Limit = 50, before: Before = None
) -> ToldDecisions:
    """What teachers have decided of boards, submissions and certificates, without students' names; for teachers."""
    visitor.teacher()
    with classroom.read() as connection:
        found = log.latest(connection, limit + 1, before_id=before, of_teachers=True)
    items = [_told(tell(entry)) for entry in found[:limit]]
    return ToldDecisions(items=items, next=_next(found, limit))


@router.get("/audit")
def read_audit_log(
    classroom: ClassroomOf, visitor: ApiVisitor, limit: Limit = 50, before: Before = None
) -> DecisionsAnswer:
    """What teachers and administrators have decided, newest first; for administrators."""
    visitor.administrator()
    with classroom.read() as connection:
        found = log.latest(connection, limit + 1, before_id=before)
    return _page(found, limit)


def _page(found: Sequence[Entry], limit: int) -> DecisionsAnswer:
    items = [
        DecisionAnswer(
            id=entry.id,
            actor=entry.actor_name,
            action=entry.action,
            sentence=sentence(entry),
            details=dict(entry.details),
            created_at=entry.created_at,
        )
        for entry in found[:limit]
    ]
    return DecisionsAnswer(items=items, next=_next(found, limit))


def _told(told: Told) -> ToldDecision:
    return ToldDecision(
        id=told.entry.id,
        actor=told.entry.actor_name,
        action=told.entry.action,
        sentence=told.sentence,
        details=dict(told.details),
        created_at=told.entry.created_at,
        submission=told.agent_id,
    )


def _next(found: Sequence[Entry], limit: int) -> str | None:
    return str(found[limit - 1].id) if len(found) > limit else None
