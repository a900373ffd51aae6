"""A unit's lesson and quiz, read from its folder.

A lesson is Markdown with formulas between dollar signs. Numbers that the manifest or a hyperparameter file holds are
not typed into it: `{{ threshold }}` or `{{ dqn.buffer_size }}` stands for them, so that a lesson never disagrees with
what is scored.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl_units.course import Unit
from rl_units.errors import ManifestError
from rl_units.yaml_files import read_yaml

LESSON = "lesson.md"
QUIZ = "quiz.toml"

_PLACEHOLDER = re.compile(r"\{\{ ([\w.]+) \}\}")


@dataclass(frozen=True)
class Choice:
    """One answer that a question offers.

    Attributes:
        text: The answer, Markdown.
        correct: Whether it is to be chosen.
        explanation: Why it is right or wrong, Markdown; shown afterwards.
    """

    text: str
    correct: bool
    explanation: str


@dataclass(frozen=True)
class Question:
    """A multiple-choice question.

    Attributes:
        id: Unique in the quiz; stays when the wording changes.
        text: The question, Markdown.
        choices: At least two, at least one of them correct and one not.
    """

    id: str
    text: str
    choices: tuple[Choice, ...]

    @property
    def correct(self) -> frozenset[int]:
        """Indices of the choices that make up the right answer."""
        return frozenset(index for index, choice in enumerate(self.choices) if choice.correct)


@dataclass(frozen=True)
class Quiz:
    """The questions of a unit, in order."""

    questions: tuple[Question, ...]


def lesson_values(unit: Unit) -> dict[str, str]:
    """What the placeholders of a unit's lesson stand for.

    Args:
        unit: The unit; its first required assignment is the one that the lesson is about.

    Returns:
        `environment`, `threshold`, `episodes`, `epsilon`, `max_episode_steps` and `frame_stack` of the assignment,
        and `<algo>.<name>` for every number and switch in the hyperparameter files, written for people.

    Raises:
        ManifestError: If no assignment of the unit is required.
        ConfigError: If a hyperparameter file cannot be read.
    """
    assignment = next((assignment for assignment in unit.assignments if assignment.required), None)
    if assignment is None:
        raise ManifestError(f"Unit {unit.id!r} has no required assignment, so its lesson has no numbers to show.")
    protocol = assignment.protocol
    values: dict[str, Any] = {
        "threshold": assignment.threshold,
        "episodes": protocol.n_episodes,
        "epsilon": protocol.epsilon,
        "max_episode_steps": protocol.max_episode_steps,
        "frame_stack": protocol.frame_stack,
    }
    for algo, path in unit.hyperparameters.items():
        document = read_yaml(path)
        section = document.get(assignment.env_id, document.get("atari", {}))
        values |= {f"{algo}.{name}": value for name, value in section.items()}
    numbers = {name: _number(value) for name, value in values.items() if isinstance(value, int | float)}
    return {"environment": assignment.env_id, **numbers}


def render_lesson(unit: Unit) -> str:
    """The unit's lesson with every placeholder replaced, as Markdown; pictures stay relative to the unit's folder.

    Raises:
        ManifestError: If there is no lesson, or a placeholder in it stands for nothing.
        ConfigError: If a hyperparameter file cannot be read.
    """
    path = unit.folder / LESSON
    values = lesson_values(unit)

    def value_of(match: re.Match[str]) -> str:
        try:
            return values[match.group(1)]
        except KeyError:
            raise ManifestError(
                f"{path} asks for {match.group(1)!r}, which is not a value of the unit; there are: "
                f"{', '.join(sorted(values))}."
            ) from None

    return _PLACEHOLDER.sub(value_of, _read(path))


def load_quiz(unit: Unit) -> Quiz:
    """Reads a unit's `quiz.toml`.

    Raises:
        ManifestError: If it is missing, malformed, holds a key that we do not know, or a question in it cannot be
            answered.
    """
    path = unit.folder / QUIZ
    try:
        document = tomllib.loads(_read(path))
        _require_keys(document, {"questions"})
        questions = tuple(_read_question(table) for table in _tables(document["questions"]))
    except (TypeError, ValueError) as error:  # TOML's decoder raises a ValueError
        raise ManifestError(f"{path} is not a quiz: {error}.") from error
    ids = [question.id for question in questions]
    if len(set(ids)) < len(ids):
        raise ManifestError(f"{path} names a question more than once.")
    return Quiz(questions)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} cannot be read: {error}.") from error


def _number(value: float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"


def _read_question(table: dict[str, Any]) -> Question:
    _require_keys(table, {"id", "text", "choices"})
    question = Question(
        id=_text(table["id"]),
        text=_text(table["text"]),
        choices=tuple(_read_choice(choice) for choice in _tables(table["choices"])),
    )
    if not 0 < len(question.correct) < len(question.choices):
        raise ValueError(f"question {question.id!r} needs a right choice and a wrong one")
    if len({choice.text for choice in question.choices}) < len(question.choices):
        raise ValueError(f"question {question.id!r} offers the same choice twice")
    return question


def _read_choice(table: dict[str, Any]) -> Choice:
    _require_keys(table, {"text", "correct", "explanation"})
    if not isinstance(table["correct"], bool):
        raise TypeError("'correct' must be true or false")
    return Choice(_text(table["text"]), table["correct"], _text(table["explanation"]))


def _tables(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
        raise TypeError("questions and choices must be lists of tables with at least one entry")
    return value


def _require_keys(table: dict[str, Any], keys: set[str]) -> None:
    if set(table) != keys:
        raise ValueError(f"expected the keys {', '.join(sorted(keys))}, found {', '.join(sorted(table)) or 'none'}")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError("texts must be strings that are not empty")
    return value.strip()
