"""What the API answers of decisions."""

from datetime import datetime
from typing import Any

from pydantic import Field

from rl_leaderboard.web.api.models import Answer


class DecisionAnswer(Answer):
    """What somebody has decided."""

    id: int
    actor: str
    action: str = Field(description="A word with dots, for programs.")
    sentence: str = Field(description="The rest of a sentence that begins with who.")
    details: dict[str, Any] = Field(description="What else is worth knowing.")
    created_at: datetime


class DecisionsAnswer(Answer):
    """Decisions, newest first."""

    items: list[DecisionAnswer]
    next: str | None


class ToldDecision(DecisionAnswer):
    """A decision of a teacher, without names of students."""

    submission: int | None = Field(description="What it is about, if that is a submission.")


class ToldDecisions(Answer):
    """Decisions of teachers, newest first."""

    items: list[ToldDecision]
    next: str | None
