"""What the API answers of classes."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from rl_leaderboard.classes.invitations import LONGEST_DAYS
from rl_leaderboard.classes.matrix import State
from rl_leaderboard.people.visitor import ClassRole
from rl_leaderboard.web.api.models import Answer


class ClassItem(Answer):
    """A class in a list."""

    id: int
    name: str
    role: ClassRole | None = Field(description="What you are in it; null for an administrator who is no member.")
    students: int
    teachers: int
    archived_at: datetime | None


class ClassesAnswer(Answer):
    """Classes, newest first."""

    items: list[ClassItem]
    next: str | None


class DeadlineAnswer(Answer):
    """An assignment, and when the class expects it."""

    assignment: str
    due_at: datetime | None


class ClassAnswer(Answer):
    """A class as its members see it."""

    id: int
    name: str
    role: ClassRole
    archived_at: datetime | None
    deadlines: list[DeadlineAnswer]


class CellAnswer(Answer):
    """How far a student is with an assignment."""

    assignment: str
    state: State
    score: float | None
    verified: bool
    late: bool
    submission: int | None


class RosterRowAnswer(Answer):
    """A student of the class."""

    person: int
    student: str
    full_name: str
    pseudonym: str | None
    cells: list[CellAnswer]


class RosterAnswer(Answer):
    """The roster of a class against the course's assignments, in one piece."""

    deadlines: list[DeadlineAnswer]
    items: list[RosterRowAnswer]
    next: None = None


class InvitationRequest(BaseModel):
    """What invitation is wished for."""

    model_config = ConfigDict(extra="forbid")
    role: ClassRole = "student"
    days: int = Field(default=30, ge=1, le=LONGEST_DAYS, description="For how many days it is good.")


class InvitationAnswer(Answer):
    """An invitation; whoever has its address can join."""

    url: str
    role: ClassRole
    expires_at: datetime


class OpenInvitation(Answer):
    """An invitation that is still good."""

    url: str | None = Field(description="Null for a token that is for reading: whoever has the address can join.")
    role: ClassRole
    created_at: datetime
    expires_at: datetime


class OpenInvitations(Answer):
    """A class's invitations, the last to expire first, in one piece."""

    items: list[OpenInvitation]
    next: None = None


class MemberAnswer(Answer):
    """Somebody in a class."""

    person: int
    name: str
    full_name: str
    pseudonym: str | None
    role: ClassRole
    joined_at: datetime


class MembersAnswer(Answer):
    """Who is in a class, teachers first, in one piece."""

    items: list[MemberAnswer]
    next: None = None
