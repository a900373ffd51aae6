"""What the API answers of what happens."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rl_leaderboard.activity.feed import Kind
from rl_leaderboard.web.api.models import Answer


class ActivityAnswer(Answer):
    """Something that happened."""

    id: int
    kind: Kind
    assignment: str | None
    submission: int | None
    created_at: datetime
    payload: dict[str, Any] = Field(description="What anybody may see.")
    sentence: str = Field(description="The same for a person.")
    path: str | None = Field(description="The agent's page on this site.")


class ActivitiesAnswer(Answer):
    """What happened, oldest first."""

    items: list[ActivityAnswer]
    last: int = Field(description="The newest activity of all: `after` of the next question.")
    next: None = None


class WebhookAnswer(Answer):
    """An address that is told what happens."""

    id: int
    url: str
    kinds: list[Kind]
    created_at: datetime
    waiting: int = Field(description="Deliveries still to be made.")
    last_delivered_at: datetime | None
    last_error: str | None


class WebhooksAnswer(Answer):
    """One's webhooks."""

    items: list[WebhookAnswer]
    next: None = None


class WebhookRequest(BaseModel):
    """A webhook to be made."""

    model_config = ConfigDict(extra="forbid")
    url: str = Field(min_length=1, max_length=2048)
    kinds: list[Kind] = Field(min_length=1, max_length=20)


class NewWebhook(WebhookAnswer):
    """A new webhook."""

    secret: str = Field(description="What its deliveries are signed with, shown this once.")
