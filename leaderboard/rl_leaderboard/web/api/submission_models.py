"""What the API answers of submissions."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from rl_leaderboard.web.api.models import Answer


class EvaluationAnswer(Answer):
    """What was measured of an agent."""

    id: int
    protocol_id: str
    protocol_version: int
    counts: bool = Field(description="Whether this is the submission's score.")
    mean: float
    std: float
    score: float
    low: float
    high: float
    confirmation: float | None = Field(
        description="Score in the games of the confirmation, if it played any: certificates count the lower of the two."
    )
    n_episodes: int
    n_truncated: int
    isolation: str
    agent_sha256: str | None = Field(description="Null if the student has a pseudonym: it leads to the repository.")
    judged_file: str | None = Field(description="Where the weights come from; null as above, or if it was not noted.")
    versions: dict[str, str]
    finished_at: datetime
    log: str | None = Field(description="For the student and teachers.")
    replay_url: str | None
    episodes_url: str


class EpisodeAnswer(Answer):
    """A game."""

    number: int
    episode_return: float
    length: int
    truncated: bool


class EpisodesAnswer(Answer):
    """All games of an evaluation."""

    items: list[EpisodeAnswer]
    next: None = None


class SubmissionSummary(Answer):
    """One of one's own submissions."""

    id: int
    repo_id: str
    sha: str
    assignment: str
    env_id: str
    algorithm: str
    state: str
    reason: str
    score: float | None
    mean: float | None
    std: float | None
    n_episodes: int | None
    verified: bool
    submitted_at: datetime
    rank: int | None = Field(description="On the board, if this submission counts there.")
    url: str


class SubmissionsAnswer(Answer):
    """One's own submissions, newest first."""

    items: list[SubmissionSummary]
    next: str | None


class ClaimAnswer(Answer):
    """What a model card says."""

    score: float | None
    mean: float | None
    std: float | None
    n_episodes: int | None
    problem: str = Field(description="Why it cannot be read; empty if it can.")


class SubmissionAnswer(Answer):
    """A submission, with everything that is known of it."""

    id: int
    student: str = Field(description="The name, or the pseudonym.")
    agent: str = Field(description="The repository; a number if the student has a pseudonym.")
    source: str
    sha: str | None = Field(description="Null if the student has a pseudonym: it leads to the repository.")
    assignment: str
    env_id: str
    algorithm: str
    library: str
    state: str
    reason: str
    score: float | None = Field(description="What the board ranks by.")
    verified: bool
    progress: str = Field(description="How far the judge is that plays it now, a sentence; otherwise empty.")
    claimed: ClaimAnswer
    has_replay: bool
    submitted_at: datetime
    received_at: datetime
    declared_at: datetime | None
    over_quota: bool
    gone_at: datetime | None
    retracted_at: datetime | None
    retraction: str
    rank: int | None
    evaluations: list[EvaluationAnswer] = Field(description="Newest first.")
    url: str


class SubmissionRequest(BaseModel):
    """Which repository is to be read now."""

    model_config = ConfigDict(extra="forbid")
    repo_id: str = Field(max_length=200, description="owner/name, on the Hub that one's account is of.")
    revision: str | None = Field(default=None, max_length=200, description="A branch, a tag or a commit; null: newest.")


class Receipt(Answer):
    """A repository that has been, or is going to be read."""

    id: int | None = Field(description="Null as long as it has not been read.")
    state: str
    assignment: str = Field(description="Empty as long as it has not been read.")
    url: str
