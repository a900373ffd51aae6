"""What the API answers of the caller."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from rl_leaderboard.people.people import Role
from rl_leaderboard.progress.assessment import State
from rl_leaderboard.rules.certification import Level
from rl_leaderboard.web.api.models import Answer


class Me(Answer):
    """Whose token this is."""

    id: int
    name: str
    full_name: str
    source: str | None
    pseudonym: str | None
    role: Role
    is_public: bool
    may_write: bool = Field(description="Whether this token may change anything.")
    created_at: datetime


class Privacy(BaseModel):
    """What others see; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")
    pseudonym: str | None = Field(default=None, max_length=64, description="Empty for the name.")
    is_public: bool | None = None


class TokenAnswer(Answer):
    """A token, without itself."""

    id: int
    name: str
    role: Literal["read", "write"]
    created_at: datetime
    expires_at: datetime | None


class TokensAnswer(Answer):
    """One's tokens, newest first."""

    items: list[TokenAnswer]
    next: None = None


class AssignmentProgressAnswer(Answer):
    """How far somebody is with an assignment."""

    assignment: str
    title: str
    threshold: float | None
    required: bool
    state: State = Field(description="`waiting`: a claim that would pass waits for its verification.")
    verified: float | None = Field(description="What counts for a certificate: the lower one of the next two.")
    on_board: float | None = Field(
        description="The score on the board of the agent that counts most for a certificate."
    )
    confirmed: float | None = Field(description="Its score in the games of the confirmation; null if it played none.")
    claimed: float | None = Field(description="The best score that a card states and nobody has measured yet.")
    points: float | None = Field(description="What is missing to the threshold, if it is below.")
    submissions: int
    counted: int | None = Field(description="The submission that stands on the board.")


class QuizProgressAnswer(Answer):
    """How far somebody is with a quiz."""

    questions: int
    right: int
    right_at_once: int


class UnitProgressAnswer(Answer):
    """How far somebody is with a unit."""

    unit: str
    title: str
    assignments: list[AssignmentProgressAnswer]
    quiz: QuizProgressAnswer | None


class ProgressAnswer(Answer):
    """How far somebody has come."""

    student: str
    units: list[UnitProgressAnswer]
    required: int = Field(description="Assignments that the certificate asks for.")
    passed: int
    waiting: int
    level: Level
    next_step: str = Field(description="What is missing for the next certificate; empty if nothing is.")


class CertifiedAssignmentAnswer(Answer):
    """An assignment on a certificate."""

    title: str
    score: float
    is_verified: bool


class CertificateAnswer(Answer):
    """A certificate, for whoever has its code."""

    code: str
    level: Literal["completion", "excellence"]
    name: str
    course: str
    assignments: list[CertifiedAssignmentAnswer]
    issued_at: datetime
    revoked_at: datetime | None = Field(description="Since when it is no longer valid.")
    url: str


class CertificatesAnswer(Answer):
    """One's own certificates, newest first."""

    items: list[CertificateAnswer]
    next: None = None


class ListedPerson(Answer):
    """Somebody who has signed in, as administrators see them."""

    id: int
    name: str
    full_name: str
    pseudonym: str | None
    issuer: str = Field(description="Who vouches for the account: `hub`, or an OpenID provider's address.")
    role: Role
    is_appointed: bool = Field(description="Whether the sign-in service or the operator makes them an administrator.")
    created_at: datetime = Field(description="When they first signed in.")


class PeopleAnswer(Answer):
    """People, in the order of their names."""

    items: list[ListedPerson]
    next: str | None
