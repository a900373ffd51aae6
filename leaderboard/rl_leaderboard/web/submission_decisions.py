"""What teachers of the site decide about single submissions, each decision written into the audit log."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from rl_leaderboard.audit import log
from rl_leaderboard.boards import assignments
from rl_leaderboard.certificates import revoking
from rl_leaderboard.certificates.issuing import Certificate
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.errors import BadRequest, Conflict
from rl_leaderboard.people import people
from rl_leaderboard.people.people import Person
from rl_leaderboard.submissions import judging, rejudging, retractions, submissions
from rl_leaderboard.submissions.submissions import Submission
from rl_leaderboard.web.requests import is_text

LONGEST_REASON = 500


def rejudge(connection: Connection, classroom: Classroom, teacher: Person, submission_id: int) -> None:
    """Asks for a submission to be judged again; what is known of it stays until there is a new result.

    Raises:
        Conflict: If its repository is gone, or it has no games left to play.
        NotFound: If there is none of this id.
    """
    submission = submissions.get(connection, submission_id)
    if submission.gone_at is not None:
        raise Conflict("Its repository was deleted or hidden, so there is nothing to judge.")
    if submission.state not in ("queued", "running"):
        assignment = assignments.by_id(classroom.course, submission.assignment_id)
        season = classroom.settings.season
        if rejudging.has_played_all(connection, submission.id, assignment, season):
            raise Conflict(played_all(season))
        judging.ask(connection, classroom.queue, submission)
        log.record(connection, teacher, "submission.rejudge", _called(submission), submission=submission.id)


def played_all(season: str) -> str:
    """Why an agent is not judged again, a sentence for teachers."""
    return (
        f"This agent has played all its games of season {season}: judging it again would play none. Another season, "
        "the operator's setting RL_LEADERBOARD_SEASON, brings other games."
    )


def retract(connection: Connection, teacher: Person, submission_id: int, reason: str, *, others: bool) -> None:
    """Takes a submission off the board; its student reads the reason, and later ones wait for a teacher.

    Args:
        connection: A transaction that writes.
        teacher: Who decides.
        submission_id: Which.
        reason: As `checked_reason` returns it.
        others: Whether the other commits of the repository go with it.

    Raises:
        NotFound: If there is none of this id.
    """
    submission = submissions.get(connection, submission_id)
    more: dict[str, Any] = {"reason": reason, "later": "waits for a teacher"}
    if others:
        more["others"] = retractions.retract_repository(connection, submission, reason)
    else:
        submissions.retract(connection, submission, reason)
    log.record(connection, teacher, "submission.retract", _called(submission), submission=submission.id, **more)


def restore(connection: Connection, teacher: Person, submission_id: int) -> None:
    """Takes a retraction back, or lets one count that has waited because of an earlier one.

    Raises:
        NotFound: If there is none of this id.
    """
    submission = submissions.get(connection, submission_id)
    if submission.retracted_at is not None:
        submissions.restore(connection, submission)
        called, later = _called(submission), "counts again"
        log.record(connection, teacher, "submission.restore", called, submission=submission.id, later=later)


def checked_reason(text: str) -> str:
    """Why a teacher takes something away, as it is kept.

    Raises:
        BadRequest: If it says nothing or too much, or has a character in it that no text has.
    """
    reason = " ".join(text.split())
    if not 1 <= len(reason) <= LONGEST_REASON or not is_text(reason):
        raise BadRequest(f"Say why, in at most {LONGEST_REASON} characters: the student reads it.")
    return reason


def unearned_certificates(connection: Connection, classroom: Classroom, submission_id: int) -> Sequence[Certificate]:
    """The valid certificates of a submission's student that say more than what counts now.

    Raises:
        NotFound: If there is no submission of this id.
    """
    submission = submissions.get(connection, submission_id)
    student = people.find(connection, submission.source, submission.student_name)
    if student is None:
        return []
    certify_claims = classroom.settings.certify_claims
    return revoking.unearned(connection, classroom.course, student, submission, certify_claims=certify_claims)


def _called(submission: Submission) -> str:
    """The submission as the log names it."""
    return f"{submission.repo_id} at {submission.sha[:7]} ({submission.assignment_id})"
