"""What routes need of a request: the classroom, who asks, forms, and the answer to a failure."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Path, Request

from rl_hub.accounts import tokens as hub_tokens
from rl_hub.accounts import users
from rl_hub.accounts.sessions import Cookie, check_form_token
from rl_hub.accounts.users import User
from rl_hub.web import origins, streams
from rl_leaderboard.classes import members
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import BadRequest, Forbidden, Unauthorized
from rl_leaderboard.people import appointments, people, sessions, tokens
from rl_leaderboard.people.arrivals import arrival_of
from rl_leaderboard.people.people import Person
from rl_leaderboard.people.visitor import ANONYMOUS, Visitor

FORM_COOKIE = "rl_classroom_form"
"""What binds a form to a browser that is not signed in."""

_FORM_BYTES = 64 * 1024
_MOST_FIELDS = 1000
_READING = {"GET", "HEAD"}


def classroom_of(request: Request) -> Classroom:
    """The classroom that is asked."""
    found: Classroom = request.app.state.classroom
    return found


def base_url(request: Request) -> str:
    """The address of this site as this visitor reaches it, without a slash at the end."""
    public = classroom_of(request).settings.public_url
    return public or f"{request.url.scheme}://{request.url.netloc}"


def hub_url(request: Request) -> str:
    """The embedded Hub's address as this visitor reaches it, without a slash at the end; empty without one."""
    known: str = request.app.state.hub_url
    port: int | None = request.app.state.hub_port
    if known or port is None:
        return known
    host = request.url.hostname or "localhost"
    return f"{request.url.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def visitor_by_cookie(request: Request) -> Visitor:
    """Who looks at a page: access tokens do not count there."""
    cookie = request.cookies.get(sessions.COOKIE)
    if not cookie:
        return ANONYMOUS
    classroom = classroom_of(request)
    with classroom.read() as connection:
        found = sessions.find(connection, cookie)
        if found is None:
            return ANONYMOUS
        person, epoch = found
        classes = members.roles_of(connection, person.id)
    account = _account(classroom, person)
    if account is not None:
        user, password_hash = account
        if user is None or sessions.epoch_of(password_hash) != epoch:
            return ANONYMOUS
        person = _as_known_today(classroom, person, user)
    return Visitor(person, classes, "session", may_write=True)


def visitor_by_token(request: Request) -> Visitor:
    """Who uses the API: by a token; a session's cookie counts for reading only, so that no foreign page can write.

    Raises:
        Unauthorized: If a token is given that is not known.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        return visitor_by_cookie(request) if request.method in _READING else ANONYMOUS
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("Send the access token as `Authorization: Bearer …`.")
    classroom = classroom_of(request)
    visitor = _by_own_token(classroom, token.strip()) or _by_hub_token(classroom, token.strip())
    if visitor is None:
        raise Unauthorized("This access token is not known here, or has expired.")
    return visitor


def _by_own_token(classroom: Classroom, token: str) -> Visitor | None:
    """Who has this token of the classroom."""
    with classroom.read() as connection:
        found = tokens.identify(connection, token)
        if found is None:
            return None
        person, role = found
        classes = members.roles_of(connection, person.id)
    account = _account(classroom, person)
    if account is not None:
        user, _password_hash = account
        if user is None:
            return None
        person = _as_known_today(classroom, person, user)
    return Visitor(person, classes, "token", may_write=role == "write")


def _by_hub_token(classroom: Classroom, token: str) -> Visitor | None:
    """Who has this token of the embedded Hub; such a person need not have signed in before."""
    if classroom.hub is None:
        return None
    with classroom.hub.database.read() as connection:
        identity = hub_tokens.identify(connection, token)
        user = users.find(connection, identity.name) if identity and identity.user_id is not None else None
    if identity is None or user is None:
        return None
    with classroom.read() as connection:
        known = people.find_subject(connection, people.HUB, str(user.id))
    person = _as_known_today(classroom, known, user)
    with classroom.read() as connection:
        classes = members.roles_of(connection, person.id)
    return Visitor(person, classes, "token", may_write=identity.role == "write")


def _account(classroom: Classroom, person: Person) -> tuple[User | None, str | None] | None:
    """A person's account of the embedded Hub, and the hash of its password; None if another service knows the person.

    The account itself is None if it is gone: who leaves the embedded Hub leaves here too.
    """
    if person.issuer != people.HUB or classroom.hub is None:
        return None
    with classroom.hub.database.read() as connection:
        user = users.find(connection, person.name)
        if user is None or str(user.id) != person.subject:
            return None, None
        return user, users.find_password_hash(connection, user.name)


def _as_known_today(classroom: Classroom, person: Person | None, user: User) -> Person:
    """The person of an account of the embedded Hub: whom the Hub makes an administrator, or no longer, is so here."""
    admins = classroom.settings.admins
    appointed = appointments.is_appointed(user.name, admins, by_issuer=user.is_admin)
    if person is not None and (person.name, person.is_appointed) == (user.name, appointed):
        return person
    with classroom.write() as connection:
        return people.welcome(connection, arrival_of(user), classroom.settings.teachers, admins)


class Form:
    """A form that was sent from a page of ours."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self._fields = fields

    def text(self, name: str, *, longest: int = 4096) -> str:
        """A field's first value; empty if it was not filled in.

        Raises:
            BadRequest: If the form has no such field, or something in it that no text has.
        """
        if name not in self._fields:
            raise BadRequest(f"The form came without its field {name}: go back, reload the page and send it again.")
        text = self._fields[name][0]
        if len(text) > longest or not is_text(text):
            raise BadRequest(f"The field {name} is too long, or has a character in it that no text has.")
        return text

    def texts(self, name: str) -> list[str]:
        """All values of a field; none if nothing was chosen."""
        return list(self._fields.get(name, ()))

    def is_ticked(self, name: str) -> bool:
        """Whether a box was ticked."""
        return name in self._fields


def is_text(text: str) -> bool:
    """Whether nothing is in a text that no text has, and no database takes."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


async def read_form(request: Request) -> Form:
    """A form, once it is certain that it comes from a page of ours.

    Raises:
        Forbidden: If it may come from elsewhere.
        TooLarge: If it is too large.
    """
    body = await streams.read_body(request, _FORM_BYTES)
    origins.check_origin(request.headers, base_url(request))
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadRequest("The body is not a valid form.") from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    form = Form(fields)
    session = request.cookies.get(sessions.COOKIE)
    cookie = session or request.cookies.get(FORM_COOKIE)
    if not cookie:
        raise Forbidden("The browser sent no cookie with this form: allow cookies for this site, then try again.")
    kind: Cookie = "session" if session else "anonymous"
    check_form_token(classroom_of(request).secret, kind, cookie, form.text("form_token"))
    return form


async def _classroom(request: Request) -> Classroom:
    # A coroutine that waits for nothing: a function would be called in a thread, and the way there takes longer.
    return classroom_of(request)


ClassroomOf = Annotated[Classroom, Depends(_classroom)]
PageVisitor = Annotated[Visitor, Depends(visitor_by_cookie)]
ApiVisitor = Annotated[Visitor, Depends(visitor_by_token)]
SentForm = Annotated[Form, Depends(read_form)]
Number = Annotated[int, Path(ge=1, le=2**62)]
"""A key of the database in an address."""
