"""Quizzes: one page a unit, answers with their explanations, as many attempts as one likes."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from rl_leaderboard.people.visitor import Visitor
from rl_leaderboard.progress import quizzes
from rl_leaderboard.web.pages.quiz_sheets import Given, find_quiz, last_given, make_sheet, read_sheet
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
    unit, quiz = find_quiz(classroom.course, unit_id)
    answers: dict[str, Given] = {}
    if visitor.person is not None and not again:
        with classroom.read() as connection:
            answers = last_given(connection, visitor.person, unit)
    return _show(request, visitor, unit, quiz, answers, is_blank=again)


@router.post("/units/{unit_id}/quiz")
def answer_quiz(
    request: Request, classroom: ClassroomOf, form: SentForm, visitor: PageVisitor, unit_id: str
) -> Response:
    """Marks the answers; those of somebody who is signed in are kept."""
    unit, quiz = find_quiz(classroom.course, unit_id)
    given = read_sheet(quiz, form)
    if visitor.person is None or not given:
        answers = {question_id: Given(choices) for question_id, choices in given.items()}
        problem = "" if given else "Nothing was chosen yet: answer at least one question."
        return _show(request, visitor, unit, quiz, answers, status=200 if given else 400, problem=problem)
    person = visitor.writing()
    with classroom.write() as connection:
        quizzes.record_all(connection, person.id, unit.id, quiz, given)
    return redirect(f"/units/{unit.id}/quiz")


def _show(
    request: Request, visitor: Visitor, unit: Unit, quiz: Quiz, answers: dict[str, Given], **more: Any
) -> Response:
    # Markdown and formulas take a while to import: not before somebody reads.
    from rl_leaderboard.lessons.quiz_text import render_inline

    sheet = make_sheet(quiz, answers, render_inline)
    right = sum(question.outcome == "right" for question in sheet)
    answered = sum(question.outcome != "open" for question in sheet)
    context = {"section": "units", "unit": unit, "sheet": sheet, "right": right, "answered": answered}
    return show_with_form(request, visitor, "quiz.html", **{"problem": "", "is_blank": False, **context, **more})
