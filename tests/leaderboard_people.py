"""People of a classroom, for tests: each with a browser that is signed in."""

import re
from dataclasses import dataclass

from fastapi.testclient import TestClient

from rl_hub.accounts import users
from rl_hub.errors import BadRequest
from rl_leaderboard.people import people, sessions
from rl_leaderboard.people.people import Person


@dataclass
class Someone:
    """Somebody who is signed in.

    Attributes:
        person: Who.
        browser: A client with the session's cookie.
    """

    person: Person
    browser: TestClient

    @classmethod
    def of(cls, app, classroom, name, role="student"):
        """The person of this name on the embedded Hub, with this role on the site."""
        person = add_person(classroom, name, role)
        with classroom.write() as connection:
            session = sessions.create(connection, person.id)
        browser = TestClient(app, base_url="http://classroom.test", cookies={sessions.COOKIE: session.id})
        return cls(person, browser)

    def get(self, path, **options):
        return self.browser.get(path, **options)

    def send(self, path, form, *, page=None, **options):
        """Sends a form with the token of a page of ours: `page`, or the form's own address."""
        token = form_token(self.browser.get(page or path).text)
        return self.browser.post(path, data={"form_token": token, **form}, **options)


def add_person(classroom, name, role="student") -> Person:
    """The person of this name on the embedded Hub, made if need be, with this role on the site."""
    with classroom.write() as connection:
        person = people.welcome(connection, _arrival(classroom, name))
        people.change_role(connection, person.id, role)
        return people.get(connection, person.id)


def _arrival(classroom, name) -> people.Arrival:
    if classroom.hub is None:
        return people.Arrival(people.HUB, f"subject of {name}", name, people.HUB)
    try:
        with classroom.hub.database.write() as connection:
            user = users.find(connection, name) or users.create(connection, name)
    except BadRequest:
        # No account of a Hub can have this name, but one of a provider that vouches for it.
        return people.Arrival("https://provider.example", f"subject of {name}", name, people.HUB)
    return people.Arrival(people.HUB, str(user.id), name, people.HUB)


def form_token(html: str) -> str:
    """The token that the forms of a page carry."""
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', html)
    assert found, "the page has no form"
    return found[1]
