"""How far a student has come, as the database knows it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, bindparam, case, func, select

from rl_leaderboard.database.tables import evaluations, quiz_answers, standings, submissions
from rl_leaderboard.people.people import Person
from rl_leaderboard.progress.assessment import Progress, QuizProgress, Scores, assess
from rl_leaderboard.progress.quizzes import quiz_of
from rl_leaderboard.submissions.confirmations import certified_score, confirmation
from rl_units.course import Course


def read_progress(connection: Connection, course: Course, person: Person, *, certify_claims: bool) -> Progress:
    """How far a person has come; see `assessment.assess`."""
    return assess(
        course,
        _read_scores(connection, person),
        _read_quizzes(connection, course, person),
        certify_claims=certify_claims,
    )


def _read_scores(connection: Connection, person: Person) -> Mapping[str, Scores]:
    """What a person has handed in, by assignment."""
    if person.source is None:
        return {}
    given = {"source": person.source, "student_key": person.key}
    return {
        row.assignment_id: Scores(
            row.submissions, row.verified, row.claimed, row.counted_id, row.on_board, row.confirmed
        )
        for row in connection.execute(_SCORES, given)
    }


def _read_quizzes(connection: Connection, course: Course, person: Person) -> Mapping[str, QuizProgress]:
    """What a person has answered, by unit; questions that a quiz no longer has do not count."""
    rows = connection.execute(_ANSWERS, {"person": person.id})
    found = {(row.unit_id, row.question_id): (row.right, row.at_once) for row in rows}
    progress = {}
    for unit in course.units:
        quiz = quiz_of(unit)
        if quiz is not None:
            answers = [found.get((unit.id, question.id), (0, 0)) for question in quiz.questions]
            right_count, at_once_count = (sum(column) for column in zip(*answers, strict=True))
            progress[unit.id] = QuizProgress(len(quiz.questions), right_count, at_once_count)
    return progress


def _select_scores() -> Select[Any]:
    # A claim that was measured, or that the judge could not measure, waits for nothing any more.
    waits = submissions.c.evaluation_id.is_(None) & (submissions.c.state != "failed")
    worth = certified_score()
    handed_in = (
        select(
            submissions.c.assignment_id,
            worth.label("verified"),
            evaluations.c.score.label("on_board"),
            confirmation().label("confirmed"),
            case((waits, submissions.c.claimed_score)).label("claimed"),
            standings.c.submission_id.label("counted_id"),
            func.row_number()
            .over(partition_by=submissions.c.assignment_id, order_by=(worth.is_(None), worth.desc(), submissions.c.id))
            .label("place"),
        )
        .outerjoin(evaluations, evaluations.c.id == submissions.c.evaluation_id)
        .outerjoin(standings, standings.c.submission_id == submissions.c.id)
        .where(submissions.c.source == bindparam("source"), submissions.c.student_key == bindparam("student_key"))
        .where(submissions.c.gone_at.is_(None), submissions.c.retracted_at.is_(None), ~submissions.c.over_quota)
        .subquery()
    )
    is_best = handed_in.c.place == 1
    return select(
        handed_in.c.assignment_id,
        func.count().label("submissions"),
        func.max(handed_in.c.verified).label("verified"),
        func.max(handed_in.c.claimed).label("claimed"),
        func.max(handed_in.c.counted_id).label("counted_id"),
        func.max(case((is_best, handed_in.c.on_board))).label("on_board"),
        func.max(case((is_best, handed_in.c.confirmed))).label("confirmed"),
    ).group_by(handed_in.c.assignment_id)


def _select_answers() -> Select[Any]:
    right = func.max(case((quiz_answers.c.correct, 1), else_=0))
    at_once = func.max(case((quiz_answers.c.correct & (quiz_answers.c.attempt == 1), 1), else_=0))
    return (
        select(quiz_answers.c.unit_id, quiz_answers.c.question_id, right.label("right"), at_once.label("at_once"))
        .where(quiz_answers.c.person_id == bindparam("person"))
        .group_by(quiz_answers.c.unit_id, quiz_answers.c.question_id)
    )


# Made once: a student's page is looked at often, and making a statement takes as long as running it.
_SCORES = _select_scores()
_ANSWERS = _select_answers()
