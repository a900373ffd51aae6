"""What the API answers of boards and their assignments."""

from datetime import datetime

from pydantic import Field

from rl_leaderboard.boards.assignments import Counting
from rl_leaderboard.web.api.models import Answer


class AssignmentAnswer(Answer):
    """An assignment of the course."""

    id: str
    title: str
    env_id: str
    aliases: list[str] = Field(description="Other environment ids that count as this one.")
    threshold: float | None = Field(description="The score that passes; null for an open challenge.")
    required: bool = Field(description="Whether the certificate asks for it.")
    protocol_version: int
    n_episodes: int = Field(description="Full games in a verified score.")


class BoardSummary(Answer):
    """A board among all boards."""

    id: str
    title: str
    env_id: str
    total: int = Field(description="Agents on it.")
    threshold: float | None
    url: str


class BoardsAnswer(Answer):
    """All boards."""

    items: list[BoardSummary]
    next: None = None


class BaselineAnswer(Answer):
    """An agent that learns nothing, for comparison."""

    name: str
    title: str
    score: float
    mean: float
    std: float
    n_episodes: int


class BoardRowAnswer(Answer):
    """An agent on a board."""

    rank: int
    tied_from: int | None = Field(
        description="First of the ranks, this one among them, that the games played so far do not tell apart; null if "
        "there is no such tie."
    )
    tied_to: int | None = Field(description="Last of them.")
    student: str = Field(description="The name, or the pseudonym.")
    agent: str = Field(description="The repository; a number if the student has a pseudonym.")
    score: float | None
    low: float | None = Field(description="Lower end of the score's interval, for verified scores.")
    high: float | None
    mean: float | None
    std: float | None
    n_episodes: int | None
    verified: bool = Field(description="Whether it was measured here; otherwise it is what the card claims.")
    algorithm: str
    library: str
    submitted_at: datetime
    has_replay: bool
    state: str
    submission: int
    url: str


class BoardAnswer(Answer):
    """A page of a board."""

    assignment: AssignmentAnswer
    items: list[BoardRowAnswer]
    next: str | None
    total: int = Field(description="Rows on all pages.")
    baselines: list[BaselineAnswer]
    counting: Counting
    frozen_at: datetime | None
