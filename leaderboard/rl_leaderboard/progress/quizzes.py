"""Quizzes: what is right, and every answer that somebody who is signed in has given."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select

from rl_hub import clock
from rl_leaderboard.database.tables import people, quiz_answers
from rl_leaderboard.errors import BadRequest, Conflict
from rl_units.course import Unit, load_course
from rl_units.lessons import QUIZ, Question, Quiz, load_quiz

MOST_ATTEMPTS = 100
"""Answers of one person to one question that are kept."""


@dataclass(frozen=True)
class Answer:
    """What somebody has answered.

    Attributes:
        question_id: The question.
        attempt: From 1.
        choices: The texts of what was chosen.
        correct: Whether it was the right answer.
        created_at: When.
    """

    question_id: str
    attempt: int
    choices: tuple[str, ...]
    correct: bool
    created_at: datetime


def quiz_of(unit: Unit) -> Quiz | None:
    """The unit's quiz, read once a process; None if it has none yet.

    Raises:
        ManifestError: If it is malformed.
    """
    return _loaded(unit.folder)


def is_correct(question: Question, choices: Sequence[str]) -> bool:
    """Whether choices, given by their texts, are the right answer.

    Raises:
        BadRequest: If they are no answer to this question.
    """
    texts = [choice.text for choice in question.choices]
    if not choices or len(set(choices)) < len(choices) or not set(choices) <= set(texts):
        raise BadRequest("This is no answer to the question. The quiz may have changed: reload the page.")
    if len(question.correct) == 1 and len(choices) > 1:
        raise BadRequest("This question has one right answer: choose one.")
    return {texts.index(choice) for choice in choices} == question.correct


def record(
    connection: Connection, person_id: int, unit_id: str, question_id: str, choices: Sequence[str], correct: bool
) -> int:
    """Keeps an answer.

    Args:
        connection: A transaction that writes.
        person_id: Who has answered.
        unit_id: The quiz.
        question_id: The question.
        choices: The texts of what was chosen; `is_correct` has looked at them.
        correct: Whether that is right.

    Returns:
        The number of the attempt, from 1.

    Raises:
        Conflict: If this question has been answered `MOST_ATTEMPTS` times.
    """
    # Answers of one person wait for each other, so that no two are the same attempt.
    connection.execute(select(people.c.id).where(people.c.id == person_id).with_for_update(key_share=True))
    mine = _of(person_id, unit_id) & (quiz_answers.c.question_id == question_id)
    attempt = (connection.scalar(select(func.max(quiz_answers.c.attempt)).where(mine)) or 0) + 1
    if attempt > MOST_ATTEMPTS:
        raise Conflict(f"This question was answered {MOST_ATTEMPTS} times; more answers are not kept.")
    row = {
        "person_id": person_id,
        "unit_id": unit_id,
        "question_id": question_id,
        "attempt": attempt,
        "choices": json.dumps(list(choices), ensure_ascii=False),
        "correct": correct,
        "created_at": clock.now(),
    }
    connection.execute(insert(quiz_answers).values(row))
    return attempt


def record_all(
    connection: Connection, person_id: int, unit_id: str, quiz: Quiz, given: Mapping[str, Sequence[str]]
) -> None:
    """Keeps a person's answers to a quiz; a question that was answered `MOST_ATTEMPTS` times keeps those it has.

    Args:
        connection: A transaction that writes.
        person_id: Who has answered.
        unit_id: The quiz's unit.
        quiz: The quiz.
        given: The texts of what was chosen, by question.

    Raises:
        BadRequest: If something is no answer to its question.
    """
    kept = latest_answers(connection, person_id, unit_id)
    for question in quiz.questions:
        last = kept.get(question.id)
        if question.id in given and (last is None or last.attempt < MOST_ATTEMPTS):
            choices = given[question.id]
            record(connection, person_id, unit_id, question.id, choices, is_correct(question, choices))


def latest_answers(connection: Connection, person_id: int, unit_id: str) -> Mapping[str, Answer]:
    """A person's last answer to each question of a quiz, by the question's id."""
    last = (
        select(quiz_answers.c.question_id, func.max(quiz_answers.c.attempt).label("attempt"))
        .where(_of(person_id, unit_id))
        .group_by(quiz_answers.c.question_id)
        .subquery()
    )
    same = and_(quiz_answers.c.question_id == last.c.question_id, quiz_answers.c.attempt == last.c.attempt)
    query = select(quiz_answers).join(last, same).where(_of(person_id, unit_id))
    return {row.question_id: _answer(row) for row in connection.execute(query)}


@cache
def _loaded(folder: Path) -> Quiz | None:
    if not (folder / QUIZ).is_file():
        return None
    return load_quiz(load_course(folder.parent).unit(folder.name))


def _of(person_id: int, unit_id: str) -> Any:
    return and_(quiz_answers.c.person_id == person_id, quiz_answers.c.unit_id == unit_id)


def _answer(row: Row[Any]) -> Answer:
    return Answer(row.question_id, row.attempt, tuple(json.loads(row.choices)), row.correct, row.created_at)
