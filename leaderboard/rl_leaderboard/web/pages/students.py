"""A student's progress."""

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from rl_leaderboard.certificates import issuing
from rl_leaderboard.classes import members
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import NotFound
from rl_leaderboard.people import people
from rl_leaderboard.people.people import Person
from rl_leaderboard.people.visitor import Visitor
from rl_leaderboard.progress.progress import read_progress
from rl_leaderboard.submissions import submissions
from rl_leaderboard.submissions.submissions import Submission
from rl_leaderboard.web.pages.site import show
from rl_leaderboard.web.requests import ClassroomOf, Number, PageVisitor

PAGE_SIZE = 20
"""Submissions of a page."""
Before = Annotated[int | None, Query(ge=1, le=2**62)]
# The same for a person who is not there and one who is private: nobody learns which.
_HIDDEN = "There is no such page, or its owner keeps it private."

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class View:
    """A person as one visitor sees them.

    Attributes:
        person: Whose page it is.
        is_own: Whether the visitor's own.
        is_insider: Whether the visitor may see more than everybody: the person, and teachers of their classes.
    """

    person: Person
    is_own: bool
    is_insider: bool

    @property
    def name(self) -> str:
        """What the person is called here."""
        return self.person.name if self.is_insider else self.person.shown_name

    @property
    def may_know_name(self) -> bool:
        """Whether the visitor may see what leads to the person's repositories."""
        return self.is_insider or self.person.pseudonym is None

    def agent_of(self, submission: Submission) -> str:
        """What a submission's repository is called here."""
        return submission.repo_id if self.is_insider else submission.shown_agent


@router.get("/me")
def my_page(request: Request, classroom: ClassroomOf, visitor: PageVisitor, before: Before = None) -> Response:
    """The visitor's own progress.

    Raises:
        Unauthorized: If nobody is signed in.
    """
    view = View(visitor.signed_in(), is_own=True, is_insider=True)
    with classroom.read() as connection:
        return _show(request, classroom, connection, visitor, view, before)


@router.get("/students/{person_id}")
def student_page(
    request: Request, classroom: ClassroomOf, visitor: PageVisitor, person_id: Number, before: Before = None
) -> Response:
    """A student's progress, for those who may see it.

    Raises:
        NotFound: For everybody else, and if there is no such person.
    """
    with classroom.read() as connection:
        view = _view(connection, visitor, person_id)
        return _show(request, classroom, connection, visitor, view, before)


def _view(connection: Connection, visitor: Visitor, person_id: int) -> View:
    try:
        person = people.get(connection, person_id)
    except NotFound:
        raise NotFound(_HIDDEN) from None
    classes = members.roles_of(connection, person.id)
    if not visitor.may_see(person, classes):
        raise NotFound(_HIDDEN)
    is_own = visitor.person is not None and visitor.person.id == person.id
    return View(person, is_own, visitor.may_see(replace(person, is_public=False), classes))


def _show(
    request: Request, classroom: Classroom, connection: Connection, visitor: Visitor, view: View, before: int | None
) -> Response:
    person, course = view.person, classroom.course
    progress = read_progress(connection, course, person, certify_claims=classroom.settings.certify_claims)
    found = _history(connection, person, before)
    shown = found[:PAGE_SIZE]
    return show(
        request,
        visitor,
        "progress.html",
        section="me" if view.is_own else None,
        view=view,
        progress=progress,
        # For teachers; one's own are on a page of their own.
        certificates=issuing.list_of_person(connection, person.id) if view.is_insider and not view.is_own else [],
        # What was retracted, and why, is between the student and the teachers.
        history=[submission for submission in shown if view.is_insider or submission.counts],
        older=shown[-1].id if len(found) > PAGE_SIZE else None,
        is_first=before is None,
        titles={assignment.id: assignment.title for assignment in course.assignments},
        counted={found.scores.counted_id for found in progress.assignments},
    )


def _history(connection: Connection, person: Person, before: int | None) -> list[Submission]:
    """A page of submissions, newest first, and one more if there is another page."""
    if person.source is None:
        return []
    return submissions.list_of_student(connection, person.source, person.key, limit=PAGE_SIZE + 1, before_id=before)
