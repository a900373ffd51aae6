"""Submissions as a visitor may see them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from rl_leaderboard.boards import board
from rl_leaderboard.database.tables import evaluations as table
from rl_leaderboard.errors import NotFound
from rl_leaderboard.people.visitor import Visitor
from rl_leaderboard.submissions import evaluations, presence
from rl_leaderboard.submissions.evaluations import Episode, Evaluation
from rl_leaderboard.submissions.submissions import Submission
from rl_leaderboard.web.api.submission_models import (
    ClaimAnswer,
    EvaluationAnswer,
    SubmissionAnswer,
    SubmissionSummary,
)
from rl_leaderboard.web.visibility import Seen, look_at


def read_games(connection: Connection, visitor: Visitor, submission_id: int, evaluation_id: int) -> list[Episode]:
    """The games of an evaluation, in the order of the seeds.

    Raises:
        NotFound: If there is no such evaluation that the visitor may see.
    """
    seen = look_at(connection, visitor, submission_id)
    found = evaluations.list_of_submission(connection, seen.submission.id)
    if evaluation_id not in {evaluation.id for evaluation in found}:
        raise NotFound("This submission has no such evaluation.")
    return evaluations.read_episodes(connection, evaluation_id)


def describe(connection: Connection, seen: Seen, site: str) -> SubmissionAnswer:
    """Everything that a visitor may know of a submission.

    Args:
        connection: A transaction.
        seen: The submission.
        site: The site's address, without a slash at the end.
    """
    submission = seen.submission
    fields = SubmissionAnswer.model_fields
    shared = {name: getattr(submission, name) for name in fields if name != "sha" and hasattr(submission, name)}
    return SubmissionAnswer(
        **shared,
        student=seen.student,
        agent=seen.agent,
        sha=submission.sha if seen.may_know_name else None,
        assignment=submission.assignment_id,
        verified=submission.verified_score is not None,
        progress=presence.progress_of(connection, submission.id),
        claimed=ClaimAnswer(
            score=submission.claimed_score,
            mean=submission.claimed_mean,
            std=submission.claimed_std,
            n_episodes=submission.claimed_episodes,
            problem=submission.claim_problem,
        ),
        rank=board.rank_of_submission(connection, submission.id),
        evaluations=[
            _evaluation(evaluation, seen, site)
            for evaluation in evaluations.list_of_submission(connection, submission.id)
        ],
        url=address(site, submission),
    )


def summarise(connection: Connection, found: Sequence[Submission], site: str) -> list[SubmissionSummary]:
    """Submissions of one student, for that student."""
    verified = _verified(connection, found)
    ranks = {one.id: board.rank_of_submission(connection, one.id) for one in found}
    return [_summary(one, verified.get(one.evaluation_id), ranks[one.id], site) for one in found]


def address(site: str, submission: Submission) -> str:
    """The address of a submission's page."""
    return f"{site}/agents/{submission.id}"


def _summary(submission: Submission, verified: Row[Any] | None, rank: int | None, site: str) -> SubmissionSummary:
    claimed = submission.claimed_mean, submission.claimed_std, submission.claimed_episodes
    mean, std, n_episodes = claimed if verified is None else (verified.mean, verified.std, verified.n_episodes)
    return SubmissionSummary(
        id=submission.id,
        repo_id=submission.repo_id,
        sha=submission.sha,
        assignment=submission.assignment_id,
        env_id=submission.env_id,
        algorithm=submission.algorithm,
        state=submission.state,
        reason=submission.retraction or submission.reason or submission.claim_problem,
        score=submission.score,
        mean=mean,
        std=std,
        n_episodes=n_episodes,
        verified=verified is not None,
        submitted_at=submission.submitted_at,
        rank=rank,
        url=address(site, submission),
    )


def _verified(connection: Connection, found: Sequence[Submission]) -> dict[int | None, Row[Any]]:
    """What was measured of those that were, by the evaluation that counts."""
    numbers = [one.evaluation_id for one in found if one.evaluation_id is not None]
    columns = table.c.id, table.c.mean, table.c.std, table.c.n_episodes
    query: Select[Any] = select(*columns).where(table.c.id.in_(numbers))
    return {row.id: row for row in connection.execute(query)}


def _evaluation(evaluation: Evaluation, seen: Seen, site: str) -> EvaluationAnswer:
    submission = seen.submission
    fields = EvaluationAnswer.model_fields
    own = {"log", "agent_sha256", "judged_file"}
    shared = {name: getattr(evaluation, name) for name in fields if hasattr(evaluation, name) and name not in own}
    here = f"{site}/api/v1/submissions/{submission.id}/evaluations/{evaluation.id}"
    return EvaluationAnswer(
        **shared,
        counts=evaluation.id == submission.evaluation_id,
        agent_sha256=evaluation.agent_sha256 if seen.may_know_name else None,
        judged_file=evaluation.judged_file if seen.may_know_name else None,
        log=evaluation.log if seen.may_read_log else None,
        replay_url=None if evaluation.replay is None else f"{site}/files/{evaluation.replay}.mp4",
        episodes_url=f"{here}/episodes",
    )
