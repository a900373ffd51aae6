"""A quiz as a sheet to fill in: what was answered, what of it is right, and what may be told about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from rl_leaderboard.errors import BadRequest, NotFound
from rl_leaderboard.lessons.material import find_unit
from rl_leaderboard.people.people import Person
from rl_leaderboard.progress.quizzes import MOST_ATTEMPTS, Answer, is_correct, latest_answers, quiz_of
from rl_leaderboard.web.requests import Form
from rl_units.course import Course, Unit
from rl_units.lessons import Question, Quiz

Outcome = Literal["open", "right", "partly", "wrong"]
ATTEMPTS_BEFORE_ALL = 3
"""After so many attempts every explanation is shown."""


@dataclass(frozen=True)
class SheetChoice:
    """One answer that a question offers.

    Attributes:
        value: What the form sends.
        text: For people.
        is_picked: Whether it was chosen last time.
        is_correct: Whether it is to be chosen; to be told together with the explanation only.
        explanation: Why it is right or wrong; None as long as that is not told.
    """

    value: str
    text: str
    is_picked: bool
    is_correct: bool
    explanation: str | None


@dataclass(frozen=True)
class SheetQuestion:
    """One question.

    Attributes:
        id: Its name in the quiz.
        field: Its name in the form.
        text: For people.
        has_several: Whether more than one choice is right.
        choices: In the order of the quiz.
        outcome: open, if it was not answered; right; partly, if all that was chosen is right but not all that is
            right was chosen; or wrong.
        attempts: How often it was answered; 0 where that is not known.
        is_closed: Whether it takes no answer.
    """

    id: str
    field: str
    text: str
    has_several: bool
    choices: tuple[SheetChoice, ...]
    outcome: Outcome
    attempts: int
    is_closed: bool


@dataclass(frozen=True)
class Given:
    """An answer as far as a sheet needs it; see `quizzes.Answer`."""

    choices: Sequence[str]
    attempts: int = 0

    @classmethod
    def of(cls, answer: Answer) -> "Given":
        """A kept answer."""
        return cls(answer.choices, answer.attempt)


def find_quiz(course: Course, unit_id: str) -> tuple[Unit, Quiz]:
    """A unit of the course, and its quiz.

    Raises:
        NotFound: If there is no such unit, or it has no quiz.
    """
    unit = find_unit(course, unit_id)
    quiz = quiz_of(unit)
    if quiz is None:
        raise NotFound("This unit has no quiz.")
    return unit, quiz


def last_given(connection: Connection, person: Person, unit: Unit) -> dict[str, Given]:
    """A person's last answer to each question of a unit's quiz, by the question's id."""
    kept = latest_answers(connection, person.id, unit.id)
    return {question_id: Given.of(answer) for question_id, answer in kept.items()}


def make_sheet(quiz: Quiz, answers: Mapping[str, Given], render: Callable[[str], str]) -> list[SheetQuestion]:
    """The sheet.

    Args:
        quiz: The quiz.
        answers: The last answer to each question, by its id; none to those that are left out.
        render: Makes of the quiz's Markdown what is shown.
    """
    return [_make_question(question, answers.get(question.id), render) for question in quiz.questions]


def read_sheet(quiz: Quiz, form: Form) -> dict[str, tuple[str, ...]]:
    """What somebody has answered: the texts of the choices by question; questions without an answer are left out.

    Raises:
        BadRequest: If something is no answer to its question.
    """
    return read_answers(quiz, {question.id: form.texts(_field(question)) for question in quiz.questions})


def read_answers(quiz: Quiz, given: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The same of values, which are the choices' texts on one line, by question.

    Raises:
        BadRequest: If something is no answer to its question.
    """
    found = {}
    for question in quiz.questions:
        values = given.get(question.id, ())
        texts = {one_line(choice.text): choice.text for choice in question.choices}
        if any(value not in texts for value in values):
            raise BadRequest("This is no answer to the question. The quiz may have changed: reload the page.")
        if values:
            found[question.id] = tuple(texts[value] for value in values)
            is_correct(question, found[question.id])
    return found


def one_line(text: str) -> str:
    """A text of the quiz on one line: browsers change line breaks on their way."""
    return " ".join(text.split())


def _make_question(question: Question, given: Given | None, render: Callable[[str], str]) -> SheetQuestion:
    picked = frozenset(given.choices) if given else frozenset()
    outcome = _outcome(question, picked)
    attempts = given.attempts if given else 0
    tells_all = outcome == "right" or attempts >= ATTEMPTS_BEFORE_ALL
    return SheetQuestion(
        id=question.id,
        field=_field(question),
        text=render(question.text),
        has_several=len(question.correct) > 1,
        choices=tuple(
            SheetChoice(
                value=one_line(choice.text),
                text=render(choice.text),
                is_picked=choice.text in picked,
                is_correct=choice.correct,
                explanation=render(choice.explanation) if tells_all or choice.text in picked else None,
            )
            for choice in question.choices
        ),
        outcome=outcome,
        attempts=attempts,
        is_closed=outcome == "right" or attempts >= MOST_ATTEMPTS,
    )


def _outcome(question: Question, picked: frozenset[str]) -> Outcome:
    right = {choice.text for choice in question.choices if choice.correct}
    # An answer from before the quiz was changed may name choices that are gone.
    if not picked <= {choice.text for choice in question.choices} or not picked:
        return "open"
    if picked == right:
        return "right"
    return "partly" if picked < right else "wrong"


def _field(question: Question) -> str:
    return f"answer-{question.id}"
