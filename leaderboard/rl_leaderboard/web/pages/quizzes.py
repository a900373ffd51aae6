"""Quizzes: one page a unit, answers with their explanations, as many attempts as one likes."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import NotFound
from rl_leaderboard.lessons.material import find_unit
from rl_leaderboard.people.visitor import Visitor
from rl_leaderboard.progress import quizzes
from rl_leaderboard.web.pages.quiz_sheets import Given, make_sheet, read_sheet
from rl_leaderboard.web.pages.site import redirect, show_with_form
from rl_leaderboard.web.requests import ClassroomOf, PageVisitor, SentForm
from rl_units.course import Unit
from rl_units.lessons import Quiz

router = APIRouter(include_in_schema=False)


@router.get("/units/{unit_id}/quiz")
def quiz_page(
    request: Request, classroom: ClassroomOf, visitor: PageVisitor, unit_id: str, again: bool = False
) -> Response:
    """The quiz with the visitor's last answers; with `again`, an empty sheet."""
    unit, quiz = _find(classroom, unit_id)
    answers: dict[str, Given] = {}
    if visitor.person is not None and not again:
        with classroom.read() as connection:
            kept = quizzes.latest_answers(connection, visitor.person.id, unit.id)
        answers = {question_id: Given.of(answer) for question_id, answer in kept.items()}
    return _show(request, visitor, unit, quiz, answers, is_blank=again)


@router.post("/units/{unit_id}/quiz")
def answer_quiz(
    request: Request, classroom: ClassroomOf, form: SentForm, visitor: PageVisitor, unit_id: str
) -> Response:
    """Marks the answers; those of somebody who is signed in are kept."""
    unit, quiz = _find(classroom, unit_id)
    given = read_sheet(quiz, form)
    if visitor.person is None or not given:
        answers = {question_id: Given(choices) for question_id, choices in given.items()}
        problem = "" if given else "Nothing was chosen yet: answer at least one question."
        return _show(request, visitor, unit, quiz, answers, status=200 if given else 400, problem=problem)
    person = visitor.writing()
    with classroom.write() as connection:
        kept = quizzes.latest_answers(connection, person.id, unit.id)
        for question in quiz.questions:
            last = kept.get(question.id)
            if question.id in given and (last is None or last.attempt < quizzes.MOST_ATTEMPTS):
                choices = given[question.id]
                correct = quizzes.is_correct(question, choices)
                quizzes.record(connection, person.id, unit.id, question.id, choices, correct)
    return redirect(f"/units/{unit.id}/quiz")


def _find(classroom: Classroom, unit_id: str) -> tuple[Unit, Quiz]:
    unit = find_unit(classroom.course, unit_id)
    quiz = quizzes.quiz_of(unit)
    if quiz is None:
        raise NotFound("This unit has no quiz.")
    return unit, quiz


def _show(
    request: Request, visitor: Visitor, unit: Unit, quiz: Quiz, answers: dict[str, Given], **more: Any
) -> Response:
    sheet = make_sheet(quiz, answers)
    right = sum(question.outcome == "right" for question in sheet)
    answered = sum(question.outcome != "open" for question in sheet)
    context = {"section": "units", "unit": unit, "sheet": sheet, "right": right, "answered": answered}
    return show_with_form(request, visitor, "quiz.html", **{"problem": "", "is_blank": False, **context, **more})
