"""Which submissions somebody may see, and how much of them."""

from dataclasses import dataclass

from sqlalchemy import Connection

from rl_leaderboard.classes import members
from rl_leaderboard.errors import NotFound
from rl_leaderboard.people import people
from rl_leaderboard.people.visitor import Visitor
from rl_leaderboard.submissions import submissions
from rl_leaderboard.submissions.submissions import Submission


@dataclass(frozen=True)
class Seen:
    """A submission as one visitor may see it.

    Attributes:
        submission: What was handed in.
        person_id: The student's account, if there is one.
        is_public: Whether the student's page may be seen by everybody.
        is_own: Whether the visitor is the student.
        is_taught: Whether the visitor is a teacher of the site, or of a class that the student is in.
    """

    submission: Submission
    person_id: int | None
    is_public: bool
    is_own: bool
    is_taught: bool

    @property
    def is_inside(self) -> bool:
        """Whether the visitor may see what others may not: the name behind a pseudonym, logs, what was taken back."""
        return self.is_own or self.is_taught

    @property
    def may_know_repository(self) -> bool:
        """Whether the repository's address, which has its owner's name in it, may be shown."""
        return self.submission.pseudonym is None or self.is_inside


def look_at(connection: Connection, visitor: Visitor, submission_id: int) -> Seen:
    """A submission for a visitor.

    Raises:
        NotFound: If there is none, or it is gone or taken back and this is neither the student nor a teacher.
    """
    submission = submissions.get(connection, submission_id)
    student = people.find(connection, submission.source, submission.student_name)
    seen = Seen(
        submission,
        person_id=None if student is None else student.id,
        is_public=student is not None and student.is_public,
        is_own=submission.belongs_to(visitor.person),
        is_taught=_teaches(connection, visitor, student),
    )
    if (submission.gone_at or submission.retracted_at) and not seen.is_inside:
        raise NotFound("There is no such submission.")
    return seen


def _teaches(connection: Connection, visitor: Visitor, student: people.Person | None) -> bool:
    if visitor.is_teacher:
        return True
    taught = {class_id for class_id, role in visitor.classes.items() if role == "teacher"}
    if student is None or not taught:
        return False
    roles = members.roles_of(connection, student.id)
    return any(roles.get(class_id) == "student" for class_id in taught)
