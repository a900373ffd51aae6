"""Who makes a request, and what they may do: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rl_leaderboard.errors import Forbidden, Unauthorized
from rl_leaderboard.people.people import Person

ClassRole = Literal["student", "teacher"]


@dataclass(frozen=True)
class Visitor:
    """Somebody who asks.

    Attributes:
        person: None for somebody who is not signed in.
        classes: The classes of the person, and the role in each.
        via: How the request was signed; a session's is a person at a browser.
        may_write: Whether the token may change anything; a session may.
    """

    person: Person | None = None
    classes: Mapping[int, ClassRole] = field(default_factory=dict)
    via: Literal["session", "token"] | None = None
    may_write: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether this is an administrator of the site."""
        return self.person is not None and self.person.role == "admin"

    @property
    def is_teacher(self) -> bool:
        """Whether this person may decide about boards: teachers and administrators of the site."""
        return self.person is not None and self.person.role in ("teacher", "admin")

    def signed_in(self) -> Person:
        """The person.

        Raises:
            Unauthorized: If nobody is signed in.
        """
        if self.person is None:
            raise Unauthorized("Sign in first.")
        return self.person

    def writing(self) -> Person:
        """The person, who is about to change something.

        Raises:
            Unauthorized: If nobody is signed in.
            Forbidden: If the token is for reading only.
        """
        person = self.signed_in()
        if not self.may_write:
            raise Forbidden("This access token is for reading only: take one that may write.")
        return person

    def teacher(self) -> Person:
        """The person, a teacher of the site who looks at what is for teachers.

        Raises:
            Unauthorized: If nobody is signed in.
            Forbidden: If the person is no teacher.
        """
        person = self.signed_in()
        if not self.is_teacher:
            raise Forbidden("This is for teachers.")
        return person

    def teaching(self) -> Person:
        """The person, a teacher of the site who is about to change something.

        Raises:
            Unauthorized: If nobody is signed in.
            Forbidden: If the person is no teacher, or the token is for reading only.
        """
        self.writing()
        return self.teacher()

    def administrator(self) -> Person:
        """The person, an administrator of the site who looks at what is for administrators.

        Raises:
            Unauthorized: If nobody is signed in.
            Forbidden: If the person is no administrator.
        """
        person = self.signed_in()
        if not self.is_admin:
            raise Forbidden("This is for administrators.")
        return person

    def administering(self) -> Person:
        """The person, an administrator of the site who is about to change something.

        Raises:
            Unauthorized: If nobody is signed in.
            Forbidden: If the person is no administrator, or the token is for reading only.
        """
        self.writing()
        return self.administrator()

    def teaches(self, class_id: int) -> bool:
        """Whether this is a teacher of a class, or an administrator."""
        return self.is_admin or self.classes.get(class_id) == "teacher"

    def may_see(self, person: Person, classes_of_person: Mapping[int, ClassRole]) -> bool:
        """Whether a person's progress may be seen: one's own, public ones, and those of one's students."""
        if self.person is not None and self.person.id == person.id:
            return True
        return person.is_public or any(
            self.teaches(class_id) for class_id, role in classes_of_person.items() if role == "student"
        )


ANONYMOUS = Visitor()
