"""A quiz as a sheet to fill in: what was answered, what of it is right, and what may be told about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from rl_leaderboard.errors import BadRequest
from rl_leaderboard.progress.quizzes import MOST_ATTEMPTS, Answer, is_correct
from rl_leaderboard.web.requests import Form
from rl_units.lessons import Choice, Question, Quiz

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
        is_correct: Whether it is to be chosen.
        explanation: Why it is right or wrong; None as long as that is not told.
    """

    value: str
    text: Markup
    is_picked: bool
    is_correct: bool
    explanation: Markup | None


@dataclass(frozen=True)
class SheetQuestion:
    """One question.

    Attributes:
        field: Its name in the form.
        text: For people.
        has_several: Whether more than one choice is right.
        choices: In the order of the quiz.
        outcome: open, if it was not answered; right; partly, if all that was chosen is right but not all that is
            right was chosen; or wrong.
        attempts: How often it was answered; 0 where that is not known.
        is_closed: Whether it takes no answer.
    """

    field: str
    text: Markup
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


def make_sheet(quiz: Quiz, answers: Mapping[str, Given]) -> list[SheetQuestion]:
    """The sheet.

    Args:
        quiz: The quiz.
        answers: The last answer to each question, by its id; none to those that are left out.
    """
    return [_make_question(question, answers.get(question.id)) for question in quiz.questions]


def read_sheet(quiz: Quiz, form: Form) -> dict[str, tuple[str, ...]]:
    """What somebody has answered: the texts of the choices by question; questions without an answer are left out.

    Raises:
        BadRequest: If something is no answer to its question.
    """
    found = {}
    for question in quiz.questions:
        values = form.texts(_field(question))
        texts = {_value(choice): choice.text for choice in question.choices}
        if any(value not in texts for value in values):
            raise BadRequest("This is no answer to the question. The quiz may have changed: reload the page.")
        if values:
            found[question.id] = tuple(texts[value] for value in values)
            is_correct(question, found[question.id])
    return found


def _make_question(question: Question, given: Given | None) -> SheetQuestion:
    # Markdown and formulas take a while to import: not before somebody reads.
    from rl_leaderboard.lessons.quiz_text import render_inline

    picked = frozenset(given.choices) if given else frozenset()
    outcome = _outcome(question, picked)
    attempts = given.attempts if given else 0
    tells_all = outcome == "right" or attempts >= ATTEMPTS_BEFORE_ALL
    return SheetQuestion(
        field=_field(question),
        text=render_inline(question.text),
        has_several=len(question.correct) > 1,
        choices=tuple(
            SheetChoice(
                value=_value(choice),
                text=render_inline(choice.text),
                is_picked=choice.text in picked,
                is_correct=choice.correct,
                explanation=render_inline(choice.explanation) if tells_all or choice.text in picked else None,
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


def _value(choice: Choice) -> str:
    """A choice's text on one line: browsers change line breaks on their way."""
    return " ".join(choice.text.split())
