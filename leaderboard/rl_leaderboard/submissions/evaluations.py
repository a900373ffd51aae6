"""Verified evaluations: what the judge measured, episode by episode."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from rl_leaderboard.boards import standings
from rl_leaderboard.database.tables import LARGEST_NUMBER, assignments, episodes, evaluations, submissions
from rl_leaderboard.database.tables import standings as standings_table
from rl_leaderboard.errors import BadRequest
from rl_leaderboard.rules.batches import season_of, season_prefix
from rl_leaderboard.submissions.confirmations import confirmation
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
        batch: Names the seeds, see `rules.batches.published_name`; of one only one result is ever published.
        episodes: Every game, in the order of the seeds.
        interval: Ends of the score's confidence interval.
        isolation: In which kind of sandbox the agent ran.
        agent_sha256: Hash of the loaded weights.
        versions: Packages that took part.
        finished_at: When it was done.
        log: What the operator and the student may read.
        replay: SHA-256 of the judge's own video, among the classroom's files.
        judged_file: The file of the repository that the weights come from; None if nobody has noted it.
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
    judged_file: str | None = None


@dataclass(frozen=True)
class Evaluation:
    """A published measurement; the numbers are computed from its episodes. See `Measurement`.

    Attributes:
        confirmation: The score of the games that only certificates rest on; None if its agent has played none.
    """

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
    judged_file: str | None
    finished_at: datetime
    confirmation: float | None


def publish(connection: Connection, submission: Submission, measurement: Measurement) -> int | None:
    """Keeps a measurement; under the assignment's current protocol it is what the submission's score is from now on.

    It then is the score of all submissions of these weights, too: see `rules.batches`.

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
    number = _keep(connection, submission.id, values, measurement.episodes)
    current = select(assignments.c.protocol_version).where(assignments.c.id == submission.assignment_id)
    if connection.scalar(current) != measurement.protocol_version:
        return number
    places = [submission.place, *_share(connection, submission, values, measurement.episodes)]
    if number is not None:
        scored = {"evaluation_id": number, "state": "scored", "reason": ""}
        connection.execute(update(submissions).where(submissions.c.id == submission.id).values(scored))
    standings.refresh(connection, list(dict.fromkeys(places)))
    if number is not None:
        tell(connection, "scored", get(connection, submission.id), score=values["score"])
    return number


def list_of_submission(connection: Connection, submission_id: int) -> list[Evaluation]:
    """Every evaluation of a submission, newest first."""
    known = select(evaluations, confirmation().label("confirmation"))
    mine = known.where(evaluations.c.submission_id == submission_id).order_by(evaluations.c.id.desc())
    return [_evaluation(row) for row in connection.execute(mine)]


def read_episodes(connection: Connection, evaluation_id: int) -> list[Episode]:
    """The games of an evaluation, in the order of the seeds."""
    columns = episodes.c.episode_return, episodes.c.length, episodes.c.truncated
    query = select(*columns).where(episodes.c.evaluation_id == evaluation_id).order_by(episodes.c.number)
    return [Episode(*row) for row in connection.execute(query)]


def _keep(
    connection: Connection, submission_id: int, values: Mapping[str, Any], games: Sequence[Episode]
) -> int | None:
    """Writes an evaluation of a submission; None if this batch was published for it before, which changes nothing."""
    same = (
        evaluations.c.submission_id == submission_id,
        evaluations.c.protocol_version == values["protocol_version"],
        evaluations.c.batch == values["batch"],
    )
    if connection.scalar(select(evaluations.c.id).where(*same)) is not None:
        return None
    statement = insert(evaluations).values(submission_id=submission_id, **values).returning(evaluations.c.id)
    number = int(connection.execute(statement).scalar_one())
    rows = [
        {
            "evaluation_id": number,
            "number": place,
            "episode_return": episode.episode_return,
            "length": episode.length,
            "truncated": episode.truncated,
        }
        for place, episode in enumerate(games)
    ]
    connection.execute(insert(episodes), rows)
    return number


def _share(
    connection: Connection, submission: Submission, values: Mapping[str, Any], games: Sequence[Episode]
) -> list[standings.Place]:
    """Gives other submissions of the same weights, whose score rests on fewer games, the same result.

    Whoever's they are: a copy that kept the result of the moment when it was made could be made at the best moment.
    What stands on a frozen board goes on counting with what it stands there with, until the board moves again.

    Returns:
        Whose standing has to be worked out again.
    """
    frozen = select(standings_table.c.submission_id).join(
        assignments, (assignments.c.id == standings_table.c.assignment_id) & assignments.c.frozen_at.is_not(None)
    )
    others = (
        select(
            submissions.c.id,
            submissions.c.source,
            submissions.c.student_key,
            evaluations.c.judged_file,
            submissions.c.id.in_(frozen).label("stays"),
        )
        .join(evaluations, evaluations.c.id == submissions.c.evaluation_id)
        .where(
            submissions.c.assignment_id == submission.assignment_id,
            submissions.c.id != submission.id,
            evaluations.c.agent_sha256 == values["agent_sha256"],
            evaluations.c.protocol_version == values["protocol_version"],
            evaluations.c.batch.startswith(season_prefix(season_of(values["batch"]))),
            evaluations.c.n_episodes < values["n_episodes"],
        )
    )
    told = f"Submission {submission.id} has the same weights: all their games together are the score."
    places = []
    for other in connection.execute(others).all():
        # The log names files of a repository that others may not read.
        is_same_student = (other.source, other.student_key) == (submission.source, submission.student_key)
        log = f"{told}\n{values['log']}" if is_same_student else told
        number = _keep(connection, other.id, {**values, "log": log, "judged_file": other.judged_file}, games)
        if number is not None and not other.stays:
            mine = update(submissions).where(submissions.c.id == other.id)
            connection.execute(mine.values(evaluation_id=number))
            places.append(standings.Place(submission.assignment_id, other.source, other.student_key))
    return places


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
        "judged_file": measurement.judged_file,
        "finished_at": measurement.finished_at,
    }


def _evaluation(row: Row[Any]) -> Evaluation:
    values = {name: getattr(row, name) for name in Evaluation.__dataclass_fields__}
    return Evaluation(**{**values, "versions": json.loads(row.versions)})
