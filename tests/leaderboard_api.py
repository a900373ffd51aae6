"""Programs that ask a classroom's API, for tests."""

from dataclasses import dataclass

from leaderboard_people import add_person
from rl_leaderboard.people import tokens
from rl_leaderboard.people.people import Person


@dataclass
class Program:
    """A program with somebody's access token.

    Attributes:
        person: Whose token.
        token: The token.
        client: What it asks with.
    """

    person: Person
    token: str
    client: object

    @classmethod
    def of(cls, client, classroom, name, role="student", *, token_role="write"):
        """A program of the person of this name, with this role on the site."""
        person = add_person(classroom, name, role)
        with classroom.write() as connection:
            token = tokens.create(connection, person.id, "test", token_role)
        return cls(person, token, client)

    def ask(self, method, path, **options):
        """Sends a request; returns the answer."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.request(method, f"/api/v1{path}", headers=headers, **options)

    def get(self, path, **options):
        """What is answered, which has to be a success."""
        answer = self.ask("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()
