"""Verified evaluations: what the judge measured, episode by episode."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from rl_leaderboard.boards import standings
from rl_leaderboard.database.tables import LARGEST_NUMBER, assignments, episodes, evaluations, submissions
from rl_leaderboard.errors import BadRequest
from rl_leaderboard.submissions.submissions import Submission, get, tell
from rl_units.errors import ResultError
from rl_units.results import mean, score, std


@dataclass(frozen=True)
class Episode:
    """One game: its full, unclipped return, its length in steps, and whether a limit ended it."""

    episode_return: float
    length: int
    truncated: bool = False


@dataclass(frozen=True)
class Measurement:
    """What a judge found.

    Attributes:
        protocol_id: How it was played.
        protocol_version: In which version.
        batch: Names the seeds; of one batch only one result is ever published.
        episodes: Every game, in the order of the seeds.
        interval: Ends of the score's confidence interval.
        isolation: In which kind of sandbox the agent ran.
        agent_sha256: Hash of the loaded weights.
        versions: Packages that took part.
        finished_at: When it was done.
        log: What the operator and the student may read.
        replay: SHA-256 of the judge's own video, among the classroom's files.
    """

    protocol_id: str
    protocol_version: int
    batch: str
    episodes: Sequence[Episode]
    interval: tuple[float, float]
    isolation: str
    agent_sha256: str
    versions: Mapping[str, str]
    finished_at: datetime
    log: str = ""
    replay: str | None = None


@dataclass(frozen=True)
class Evaluation:
    """A published measurement; the numbers are computed from its episodes. See `Measurement`."""

    id: int
    submission_id: int
    protocol_id: str
    protocol_version: int
    batch: str
    mean: float
    std: float
    score: float
    low: float
    high: float
    n_episodes: int
    n_truncated: int
    isolation: str
    agent_sha256: str
    versions: Mapping[str, str]
    log: str
    replay: str | None
    finished_at: datetime


def publish(connection: Connection, submission: Submission, measurement: Measurement) -> int | None:
    """Keeps a measurement; under the assignment's current protocol it is what the submission's score is from now on.

    Args:
        connection: A transaction that writes.
        submission: What was measured.
        measurement: What was found.

    Returns:
        The evaluation's id; None if this batch was published before, which changes nothing.

    Raises:
        BadRequest: If a number is not finite or too large, or there is no episode.
    """
    values = _values(measurement)
    standings.hold(connection, [submission.assignment_id])
    same = (
        evaluations.c.submission_id == submission.id,
        evaluations.c.protocol_version == measurement.protocol_version,
        evaluations.c.batch == measurement.batch,
    )
    if connection.scalar(select(evaluations.c.id).where(*same)) is not None:
        return None
    statement = insert(evaluations).values(submission_id=submission.id, **values).returning(evaluations.c.id)
    number = int(connection.execute(statement).scalar_one())
    rows = [
        {
            "evaluation_id": number,
            "number": place,
            "episode_return": episode.episode_return,
            "length": episode.length,
            "truncated": episode.truncated,
        }
        for place, episode in enumerate(measurement.episodes)
    ]
    connection.execute(insert(episodes), rows)
    current = select(assignments.c.protocol_version).where(assignments.c.id == submission.assignment_id)
    if connection.scalar(current) == measurement.protocol_version:
        scored = {"evaluation_id": number, "state": "scored", "reason": ""}
        connection.execute(update(submissions).where(submissions.c.id == submission.id).values(scored))
        standings.refresh(connection, [submission.place])
        tell(connection, "scored", get(connection, submission.id), score=values["score"])
    return number


def list_of_submission(connection: Connection, submission_id: int) -> list[Evaluation]:
    """Every evaluation of a submission, newest first."""
    mine = select(evaluations).where(evaluations.c.submission_id == submission_id).order_by(evaluations.c.id.desc())
    return [_evaluation(row) for row in connection.execute(mine)]


def read_episodes(connection: Connection, evaluation_id: int) -> list[Episode]:
    """The games of an evaluation, in the order of the seeds."""
    columns = episodes.c.episode_return, episodes.c.length, episodes.c.truncated
    query = select(*columns).where(episodes.c.evaluation_id == evaluation_id).order_by(episodes.c.number)
    return [Episode(*row) for row in connection.execute(query)]


def _values(measurement: Measurement) -> dict[str, Any]:
    returns = [episode.episode_return for episode in measurement.episodes]
    try:
        numbers = {"mean": mean(returns), "std": std(returns), "score": score(returns)}
    except ResultError as error:
        raise BadRequest(str(error)) from error
    numbers |= {"low": measurement.interval[0], "high": measurement.interval[1]}
    if not all(abs(number) <= LARGEST_NUMBER for number in (*numbers.values(), *returns)):
        raise BadRequest("A number of this evaluation is not finite or too large.")
    return {
        **numbers,
        "protocol_id": measurement.protocol_id,
        "protocol_version": measurement.protocol_version,
        "batch": measurement.batch,
        "n_episodes": len(returns),
        "n_truncated": sum(episode.truncated for episode in measurement.episodes),
        "isolation": measurement.isolation,
        "agent_sha256": measurement.agent_sha256,
        "versions": json.dumps(dict(measurement.versions)),
        "log": measurement.log,
        "replay": measurement.replay,
        "finished_at": measurement.finished_at,
    }


def _evaluation(row: Row[Any]) -> Evaluation:
    values = {name: getattr(row, name) for name in Evaluation.__dataclass_fields__}
    return Evaluation(**{**values, "versions": json.loads(row.versions)})
