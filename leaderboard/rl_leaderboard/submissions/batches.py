"""What agents have played so far, batch by batch; see `rules.batches`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from rl_hub.database.engine import insert_ignore
from rl_leaderboard.database.tables import batches, submissions
from rl_leaderboard.rules.batches import Played, Round
from rl_leaderboard.submissions.evaluations import Episode
from rl_units.results import score


@dataclass(frozen=True)
class Batch:
    """Games of one batch of seeds.

    Attributes:
        agent_sha256: Hash of the weights that played them.
        round: Under what.
        name: Of the batch.
        submission_id: For which submission.
        episodes: In the order of the seeds.
        isolation: In which kind of sandbox.
        finished_at: When it was done.
    """

    agent_sha256: str
    round: Round
    name: str
    submission_id: int
    episodes: Sequence[Episode]
    isolation: str
    finished_at: datetime


def record(connection: Connection, batch: Batch) -> None:
    """Keeps a batch; one that is there already stays as it is, since the same weights play the same games."""
    games = [[episode.episode_return, episode.length, episode.truncated] for episode in batch.episodes]
    row = {
        "agent_sha256": batch.agent_sha256,
        "protocol_id": batch.round.protocol_id,
        "protocol_version": batch.round.protocol_version,
        "season": batch.round.season,
        "batch": batch.name,
        "submission_id": batch.submission_id,
        "score": score([episode.episode_return for episode in batch.episodes]),
        "games": json.dumps(games),
        "isolation": batch.isolation,
        "finished_at": batch.finished_at,
    }
    insert_ignore(connection, batches, [row])


def read(connection: Connection, agent_sha256: str, of: Round) -> tuple[list[Played], Mapping[str, Sequence[Episode]]]:
    """What an agent has played in a round, and the games of each batch by its name."""
    query = (
        select(batches, submissions.c.source, submissions.c.student_key)
        .join_from(batches, submissions, submissions.c.id == batches.c.submission_id)
        .where(
            batches.c.agent_sha256 == agent_sha256,
            batches.c.protocol_id == of.protocol_id,
            batches.c.protocol_version == of.protocol_version,
            batches.c.season == of.season,
        )
        .order_by(batches.c.id)
    )
    rows = connection.execute(query).all()
    played = [Played(agent_sha256, row.source, row.student_key, of, row.batch, row.submission_id) for row in rows]
    return played, {row.batch: [Episode(*game) for game in json.loads(row.games)] for row in rows}
