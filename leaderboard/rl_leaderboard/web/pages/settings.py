"""A person's settings: privacy, access tokens, sessions, export and deletion."""

import json
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from rl_hub import clock
from rl_leaderboard.errors import BadRequest, LeaderboardError
from rl_leaderboard.people import export, people, sessions, tokens
from rl_leaderboard.people.visitor import ANONYMOUS, Visitor
from rl_leaderboard.web.pages.entering import forget_cookie
from rl_leaderboard.web.pages.site import redirect, show
from rl_leaderboard.web.requests import ClassroomOf, Number, PageVisitor, SentForm, classroom_of, read_form

_LIFETIMES = {"30": "30 days", "90": "90 days", "365": "a year", "": "no end"}
_NO_STORE = {"Cache-Control": "no-store"}

router = APIRouter(include_in_schema=False)


@router.get("/settings")
def privacy(request: Request, visitor: PageVisitor, saved: str = "") -> Response:
    """What others see of the person."""
    return _privacy_page(request, visitor, saved=bool(saved))


@router.post("/settings")
def change_privacy(request: Request, classroom: ClassroomOf, visitor: PageVisitor, form: SentForm) -> Response:
    """Changes it."""
    person = visitor.writing()
    wished, is_public = form.text("pseudonym"), form.is_ticked("is_public")
    try:
        with classroom.write() as connection:
            people.change_privacy(connection, person, pseudonym=wished, is_public=is_public)
    except BadRequest as error:
        return _privacy_page(request, visitor, error=error, pseudonym=wished, is_public=is_public)
    return redirect("/settings?saved=yes")


@router.get("/settings/tokens")
def list_tokens(request: Request, visitor: PageVisitor) -> Response:
    """The person's access tokens, and the form for a new one."""
    return _tokens_page(request, visitor)


@router.post("/settings/tokens")
def create_token(request: Request, classroom: ClassroomOf, visitor: PageVisitor, form: SentForm) -> Response:
    """Makes a token and shows it, this once: the same form sent again, as by reloading the page, makes none."""
    person = visitor.writing()
    name, role = form.text("name"), form.text("role")
    try:
        end = _end(form.text("days"))
        with classroom.write() as connection:
            token = tokens.create(connection, person.id, name, role, end, newest_known=_key(form.text("newest")))
    except LeaderboardError as error:
        return _tokens_page(request, visitor, error=error, wished=name)
    response = _tokens_page(request, visitor, new_token=token)
    response.headers.update(_NO_STORE)
    return response


@router.post("/settings/tokens/{token_id}/delete", dependencies=[Depends(read_form)])
def delete_token(classroom: ClassroomOf, visitor: PageVisitor, token_id: Number) -> Response:
    """Deletes one of the person's tokens."""
    with classroom.write() as connection:
        tokens.remove(connection, visitor.writing().id, token_id)
    return redirect("/settings/tokens")


@router.get("/settings/sessions")
def list_sessions(request: Request, classroom: ClassroomOf, visitor: PageVisitor) -> Response:
    """In how many browsers the person is signed in."""
    person = visitor.signed_in()
    with classroom.read() as connection:
        count = sessions.count(connection, person.id)
    return show(request, visitor, "settings/sessions.html", count=count, days=sessions.LIFETIME.days)


@router.post("/settings/sessions/end", dependencies=[Depends(read_form)])
def sign_out_everywhere(classroom: ClassroomOf, visitor: PageVisitor) -> Response:
    """Ends all of the person's sessions, this one included."""
    with classroom.write() as connection:
        sessions.remove_all(connection, visitor.writing().id)
    response = redirect("/login")
    forget_cookie(response)
    return response


@router.get("/settings/data")
def data(request: Request, visitor: PageVisitor) -> Response:
    """What can be done with what is kept about the person."""
    visitor.signed_in()
    return show(request, visitor, "settings/data.html", error="")


@router.get("/settings/export")
def download_export(classroom: ClassroomOf, visitor: PageVisitor) -> Response:
    """Everything that is kept about the person, as a file."""
    person = visitor.signed_in()
    with classroom.read() as connection:
        found = export.collect(connection, person)
    text = json.dumps(found, ensure_ascii=False, allow_nan=False, indent=2)
    file = f'attachment; filename="classroom-data-{clock.now():%Y-%m-%d}.json"'
    return Response(text, media_type="application/json", headers={"Content-Disposition": file, **_NO_STORE})


@router.post("/settings/data/delete")
def delete_account(request: Request, classroom: ClassroomOf, visitor: PageVisitor, form: SentForm) -> Response:
    """Deletes the account, if its name was typed once more."""
    person = visitor.writing()
    try:
        if form.text("name").strip() != person.name:
            raise BadRequest(f"Nothing was deleted. To delete the account, type its name: {person.name}")
        with classroom.write() as connection:
            people.remove(connection, person)
    except LeaderboardError as error:
        return show(request, visitor, "settings/data.html", status=error.status, error=error.message)
    response = redirect("/settings/deleted")
    forget_cookie(response)
    return response


@router.get("/settings/deleted")
def deleted(request: Request) -> Response:
    """Says goodbye."""
    return show(request, ANONYMOUS, "settings/deleted.html")


def _privacy_page(
    request: Request, visitor: Visitor, *, error: LeaderboardError | None = None, saved: bool = False, **wished: Any
) -> Response:
    person = visitor.signed_in()
    shown = {"pseudonym": person.pseudonym or "", "is_public": person.is_public, **wished}
    return show(
        request,
        visitor,
        "settings/privacy.html",
        status=error.status if error else 200,
        error=error.message if error else "",
        saved=saved,
        longest=people.LONGEST_PSEUDONYM,
        **shown,
    )


def _tokens_page(
    request: Request,
    visitor: Visitor,
    *,
    error: LeaderboardError | None = None,
    new_token: str = "",
    wished: str = "",
) -> Response:
    person = visitor.signed_in()
    with classroom_of(request).read() as connection:
        mine = tokens.list_tokens(connection, person.id)
    return show(
        request,
        visitor,
        "settings/tokens.html",
        status=error.status if error else 200,
        error=error.message if error else "",
        tokens=mine,
        new_token=new_token,
        wished=wished,
        lifetimes=_LIFETIMES,
        longest=tokens.LONGEST_NAME,
        now=clock.now(),
    )


def _key(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise BadRequest("The form was changed on its way: reload the page and send it again.")
    return int(text)


def _end(days: str) -> datetime | None:
    if days not in _LIFETIMES:
        raise BadRequest("Choose how long the token is valid.")
    return clock.now() + timedelta(days=int(days)) if days else None
