"""A teacher's outgoing webhooks."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from rl_leaderboard.activity import addresses, webhooks
from rl_leaderboard.activity.feed import KINDS
from rl_leaderboard.errors import BadRequest, Conflict
from rl_leaderboard.people.visitor import Visitor
from rl_leaderboard.web import webhook_decisions
from rl_leaderboard.web.pages.site import redirect, show
from rl_leaderboard.web.requests import ClassroomOf, Number, PageVisitor, SentForm, classroom_of

router = APIRouter(include_in_schema=False)


@router.get("/teach/webhooks")
def list_webhooks(request: Request, visitor: PageVisitor) -> Response:
    """One's webhooks, and the form for a new one."""
    return _show(request, visitor)


@router.post("/teach/webhooks")
def create_webhook(request: Request, classroom: ClassroomOf, visitor: PageVisitor, form: SentForm) -> Response:
    """Makes a webhook; its secret is on the page that answers, and nowhere else."""
    person = visitor.teaching()
    url, kinds = form.text("url").strip(), form.texts("kinds")
    try:
        addresses.check(url, allow_private=classroom.settings.private_webhooks)
        with classroom.write() as connection:
            _, secret = webhook_decisions.create(connection, person, url, kinds)
    except (BadRequest, Conflict) as error:
        return _show(request, visitor, status=error.status, error=error.message, url=url, chosen=kinds)
    response = _show(request, visitor, secret=secret)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/teach/webhooks/{webhook_id}/delete")
def delete_webhook(classroom: ClassroomOf, visitor: PageVisitor, form: SentForm, webhook_id: Number) -> Response:  # noqa: ARG001  reading the form checks it
    """Deletes one of one's webhooks."""
    person = visitor.writing()
    with classroom.write() as connection:
        webhook_decisions.remove(connection, person, webhook_id)
    return redirect("/teach/webhooks")


def _show(request: Request, visitor: Visitor, *, status: int = 200, **context: Any) -> Response:
    person = visitor.teaching()
    with classroom_of(request).read() as connection:
        found = webhooks.list_of_person(connection, person.id)
    shown = {"error": "", "url": "", "secret": "", "chosen": ["scored"], **context}
    return show(
        request, visitor, "teach_webhooks.html", status=status, section="teach", webhooks=found, kinds=KINDS, **shown
    )
