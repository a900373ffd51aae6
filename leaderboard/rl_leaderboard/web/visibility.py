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
        is_taught: Whether the visitor is an administrator, or a teacher of a class that the student is in.
        is_moderated: Whether the visitor is a teacher of the site, who decides about all boards.
    """

    submission: Submission
    person_id: int | None
    is_public: bool
    is_own: bool
    is_taught: bool
    is_moderated: bool

    @property
    def is_inside(self) -> bool:
        """Whether the visitor may see what others may not: what was taken back, or is gone."""
        return self.is_own or self.is_taught or self.is_moderated

    @property
    def may_know_name(self) -> bool:
        """Whether the visitor may know who the student is, and whatever leads there.

        A repository's name and the digests of its content do: the Hub that has it finds its owner by them.
        """
        return self.submission.pseudonym is None or self.is_own or self.is_taught

    @property
    def may_read_log(self) -> bool:
        """Whether the visitor may read what the judge wrote down, which may name files of the repository."""
        return self.is_inside and self.may_know_name

    @property
    def student(self) -> str:
        """The student as the visitor may see them."""
        return self.submission.student_name if self.may_know_name else self.submission.shown_student

    @property
    def agent(self) -> str:
        """The agent as the visitor may see it."""
        return self.submission.repo_id if self.may_know_name else self.submission.shown_agent


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
        is_moderated=visitor.is_teacher,
    )
    if (submission.gone_at or submission.retracted_at) and not seen.is_inside:
        raise NotFound("There is no such submission.")
    return seen


def _teaches(connection: Connection, visitor: Visitor, student: people.Person | None) -> bool:
    if visitor.is_admin:
        return True
    taught = {class_id for class_id, role in visitor.classes.items() if role == "teacher"}
    if student is None or not taught:
        return False
    roles = members.roles_of(connection, student.id)
    return any(roles.get(class_id) == "student" for class_id in taught)
