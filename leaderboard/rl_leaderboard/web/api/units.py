"""The course, its lessons and quizzes, for programs."""

from collections.abc import Mapping

from fastapi import APIRouter, Request

from rl_leaderboard.errors import BadRequest
from rl_leaderboard.lessons import material
from rl_leaderboard.progress import quizzes
from rl_leaderboard.web.api.boards import describe_assignment
from rl_leaderboard.web.api.models import ERRORS, SIGNED_IN
from rl_leaderboard.web.api.unit_models import (
    ChoiceAnswer,
    QuestionAnswer,
    QuizAnswer,
    QuizRequest,
    UnitAnswer,
    UnitPageAnswer,
    UnitsAnswer,
)
from rl_leaderboard.web.pages import quiz_sheets
from rl_leaderboard.web.pages.quiz_sheets import Given, SheetChoice, SheetQuestion
from rl_leaderboard.web.requests import ApiVisitor, ClassroomOf, base_url
from rl_units.course import Unit
from rl_units.lessons import Quiz

router = APIRouter(prefix="/api/v1", tags=["units"], responses=ERRORS)


@router.get("/units")
def list_units(request: Request, classroom: ClassroomOf) -> UnitsAnswer:
    """The course."""
    return UnitsAnswer(items=[_unit(unit, base_url(request)) for unit in classroom.course.units])


@router.get("/units/{unit_id}")
def read_unit(request: Request, unit_id: str, classroom: ClassroomOf, visitor: ApiVisitor) -> UnitPageAnswer:
    """A unit with its lesson and its quiz, and what one has answered in it last."""
    unit, site = material.find_unit(classroom.course, unit_id), base_url(request)
    quiz = quizzes.quiz_of(unit)
    given: Mapping[str, Given] = {}
    if quiz is not None and visitor.person is not None:
        with classroom.read() as connection:
            given = quiz_sheets.last_given(connection, visitor.person, unit)
    has_notebook = material.notebook_of(unit) is not None
    return UnitPageAnswer(
        **_unit(unit, site).model_dump(),
        lesson=material.lesson_text(unit),
        notebook_url=f"{site}/units/{unit.id}/notebook.ipynb" if has_notebook else None,
        colab_url=material.colab_address(classroom.settings.notebooks_url, unit),
        quiz=None if quiz is None else _quiz(quiz, given),
    )


@router.post("/units/{unit_id}/quiz", dependencies=[SIGNED_IN])
def answer_quiz(unit_id: str, classroom: ClassroomOf, visitor: ApiVisitor, body: QuizRequest) -> QuizAnswer:
    """Marks answers to a quiz and keeps them; questions that are left out stay as they are."""
    person = visitor.writing()
    unit, quiz = quiz_sheets.find_quiz(classroom.course, unit_id)
    if not body.answers.keys() <= {question.id for question in quiz.questions}:
        raise BadRequest("The quiz has no such question. It may have changed: read it again.")
    given = quiz_sheets.read_answers(quiz, body.answers)
    with classroom.write() as connection:
        quizzes.record_all(connection, person.id, unit.id, quiz, given)
        return _quiz(quiz, quiz_sheets.last_given(connection, person, unit))


def _unit(unit: Unit, site: str) -> UnitAnswer:
    return UnitAnswer(
        id=unit.id,
        number=unit.number,
        title=unit.title,
        assignments=[describe_assignment(assignment) for assignment in unit.assignments],
        url=f"{site}/units/{unit.id}",
    )


def _quiz(quiz: Quiz, given: Mapping[str, Given]) -> QuizAnswer:
    sheet = quiz_sheets.make_sheet(quiz, given, quiz_sheets.one_line)
    return QuizAnswer(questions=[_question(question) for question in sheet])


def _question(question: SheetQuestion) -> QuestionAnswer:
    return QuestionAnswer(
        id=question.id,
        text=question.text,
        has_several=question.has_several,
        choices=[_choice(choice) for choice in question.choices],
        outcome=question.outcome,
        attempts=question.attempts,
        is_closed=question.is_closed,
    )


def _choice(choice: SheetChoice) -> ChoiceAnswer:
    return ChoiceAnswer(
        text=choice.value,
        is_picked=choice.is_picked,
        # Which choices are right is told where they are explained, as on the page.
        is_correct=None if choice.explanation is None else choice.is_correct,
        explanation=choice.explanation,
    )
