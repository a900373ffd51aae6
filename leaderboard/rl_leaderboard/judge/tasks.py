"""What a worker has been given, and how it ends: each a transaction that only the owner of the job can finish."""

from collections.abc import Sequence
from dataclasses import dataclass

from rl_leaderboard.classroom import Classroom
from rl_leaderboard.jobs import Claim, Queue
from rl_leaderboard.judge.failures import JudgeError
from rl_leaderboard.submissions import batches, evaluations, submissions
from rl_leaderboard.submissions.batches import Batch
from rl_leaderboard.submissions.evaluations import Measurement
from rl_leaderboard.submissions.submissions import Submission
from rl_units.course import Assignment

_TIRED = (
    "The judge could not measure this agent, three times over. That is not your agent's fault as far as anybody "
    "knows: ask your teacher to have it judged again."
)


@dataclass(frozen=True)
class Task:
    """A submission to measure.

    Attributes:
        claim: The job that it comes from.
        submission: What was handed in.
        assignment: What for, with the protocol that is played.
    """

    claim: Claim
    submission: Submission
    assignment: Assignment


@dataclass(frozen=True)
class Verdict:
    """What measuring a submission has brought.

    Attributes:
        measurement: What is published.
        batches: What was played for it, to be kept with it.
    """

    measurement: Measurement
    batches: Sequence[Batch]


def begin(classroom: Classroom, queue: Queue, claim: Claim) -> Task | None:
    """Says that a submission is being measured.

    Returns:
        None if there is nothing to measure any more; the job is finished then.

    Raises:
        LostLease: If somebody else has the job by now.
    """
    assignments = {assignment.id: assignment for assignment in classroom.course.assignments}
    with classroom.write() as connection:
        submission = submissions.get(connection, claim.submission_id)
        if claim.is_over:
            queue.finish(connection, claim)
            submissions.fail(connection, submission, _TIRED)
            return None
        if not submission.counts or submission.assignment_id not in assignments:
            queue.finish(connection, claim)
            submissions.rest(connection, submission)
            return None
        queue.check(connection, claim)
        submissions.start(connection, submission)
    return Task(claim, submission, assignments[submission.assignment_id])


def publish(classroom: Classroom, queue: Queue, task: Task, verdict: Verdict) -> None:
    """Keeps what was measured; the score is on the board from now on.

    Raises:
        LostLease: If somebody else has the job by now: nothing is kept then.
    """
    with classroom.write() as connection:
        queue.finish(connection, task.claim)
        submission = submissions.get(connection, task.submission.id)
        for batch in verdict.batches:
            batches.record(connection, batch)
        if evaluations.publish(connection, submission, verdict.measurement) is None:
            submissions.rest(connection, submission)


def fail(classroom: Classroom, queue: Queue, task: Task, error: JudgeError) -> None:
    """Tells the student why there is no score.

    Raises:
        LostLease: If somebody else has the job by now.
    """
    with classroom.write() as connection:
        queue.finish(connection, task.claim)
        submissions.fail(connection, submissions.get(connection, task.submission.id), error.sentence)


def put_off(classroom: Classroom, queue: Queue, task: Task, seconds: float) -> None:
    """Lets it be tried again in a while, or gives it up after the last attempt.

    Raises:
        LostLease: If somebody else has the job by now.
    """
    with classroom.write() as connection:
        submission = submissions.get(connection, task.submission.id)
        if task.claim.is_last:
            queue.finish(connection, task.claim)
            submissions.fail(connection, submission, _TIRED)
        else:
            queue.finish(connection, task.claim, retry_after=seconds)
            submissions.wait(connection, submission)
