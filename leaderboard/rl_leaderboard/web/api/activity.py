"""What happens, and outgoing webhooks, for programs."""

from fastapi import APIRouter
from starlette.responses import Response

from rl_leaderboard.activity import addresses, feed, webhooks
from rl_leaderboard.activity.webhooks import Webhook
from rl_leaderboard.web import webhook_decisions
from rl_leaderboard.web.api.activity_models import (
    ActivitiesAnswer,
    ActivityAnswer,
    NewWebhook,
    WebhookAnswer,
    WebhookRequest,
    WebhooksAnswer,
)
from rl_leaderboard.web.api.models import ERRORS, SIGNED_IN, After, Limit
from rl_leaderboard.web.pages.happenings import describe
from rl_leaderboard.web.requests import ApiVisitor, ClassroomOf, Number

router = APIRouter(prefix="/api/v1", tags=["activity"], responses=ERRORS)


@router.get("/activity")
def list_activity(classroom: ClassroomOf, after: After = 0, limit: Limit = 50) -> ActivitiesAnswer:
    """What has happened, oldest first: the newest of what followed an activity."""
    with classroom.read() as connection:
        newest = feed.newest_id(connection)
        found = feed.latest(connection, limit, after_id=after)
    items = [ActivityAnswer(**describe(activity, classroom.course)) for activity in reversed(found)]
    return ActivitiesAnswer(items=items, last=newest)


@router.get("/webhooks", dependencies=[SIGNED_IN])
def list_webhooks(classroom: ClassroomOf, visitor: ApiVisitor) -> WebhooksAnswer:
    """One's own webhooks, for teachers."""
    person = visitor.teacher()
    with classroom.read() as connection:
        found = webhooks.list_of_person(connection, person.id)
    return WebhooksAnswer(items=[_shown(webhook) for webhook in found])


@router.post("/webhooks", status_code=201, dependencies=[SIGNED_IN])
def create_webhook(classroom: ClassroomOf, visitor: ApiVisitor, body: WebhookRequest) -> NewWebhook:
    """Has an address told what happens, signed with a secret that is shown this once, for teachers."""
    person = visitor.teaching()
    addresses.check(body.url, allow_private=classroom.settings.private_webhooks)
    with classroom.write() as connection:
        number, secret = webhook_decisions.create(connection, person, body.url, body.kinds)
        made = webhooks.get(connection, person.id, number)
    return NewWebhook(**_shown(made).model_dump(), secret=secret)


@router.get("/webhooks/{webhook_id}", dependencies=[SIGNED_IN])
def read_webhook(webhook_id: Number, classroom: ClassroomOf, visitor: ApiVisitor) -> WebhookAnswer:
    """One of one's own webhooks, for teachers."""
    person = visitor.teacher()
    with classroom.read() as connection:
        return _shown(webhooks.get(connection, person.id, webhook_id))


@router.delete("/webhooks/{webhook_id}", status_code=204, response_class=Response, dependencies=[SIGNED_IN])
def delete_webhook(webhook_id: Number, classroom: ClassroomOf, visitor: ApiVisitor) -> None:
    """Deletes one of one's own webhooks, with what it has not been told yet."""
    person = visitor.writing()
    with classroom.write() as connection:
        webhook_decisions.remove(connection, person, webhook_id)


def _shown(webhook: Webhook) -> WebhookAnswer:
    return WebhookAnswer.model_validate(webhook)
