"""What teachers decide of boards and submissions, and what the API answers of it."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from rl_leaderboard.boards.assignments import MOST_A_DAY, Counting
from rl_leaderboard.web.api.models import Answer
from rl_leaderboard.web.api.submission_models import SubmissionAnswer
from rl_leaderboard.web.submission_decisions import LONGEST_REASON


class BoardSettings(Answer):
    """What teachers have decided about a board."""

    assignment: str
    counting: Counting = Field(description="Which of a student's submissions stands on the board.")
    quota_per_day: int | None = Field(description="Submissions of a student in a day (UTC); null for no limit.")
    frozen_at: datetime | None = Field(description="Since when it stays as it is; null while it moves.")
    states: dict[str, int] = Field(description="How many of the submissions on it are in which state.")


class BoardChange(BaseModel):
    """New settings of a board; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")
    counting: Counting | None = None
    quota_per_day: int | None = Field(default=None, ge=1, le=MOST_A_DAY, description="Null for no limit.")


class RetractionRequest(BaseModel):
    """Why a submission is taken off the board."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=LONGEST_REASON, description="A sentence that the student reads.")
    others: bool = Field(default=True, description="Whether the other commits of the repository go with it.")


class RetractedAnswer(SubmissionAnswer):
    """A submission that was taken off the board."""

    certificates_url: str | None = Field(
        description="Where certificates of the student can be revoked that say more than what counts now, if any do."
    )


class WaitingSubmission(Answer):
    """A submission that waits for a teacher."""

    submission: int
    agent: str = Field(description="The repository; a number if the student has a pseudonym.")
    assignment: str
    received_at: datetime
    url: str


class WaitingAnswer(Answer):
    """What waits for a teacher, newest first."""

    items: list[WaitingSubmission]
    total: int = Field(description="How many wait in all.")
    next: None = None
