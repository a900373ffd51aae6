"""How submissions have ended, and whether each has once: one verdict, with the games that its protocol asks for."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from rl_leaderboard.database.tables import activities, batches, episodes, evaluations, submissions
from rl_leaderboard.judge import tasks
from rl_leaderboard.rules.batches import CONFIRMATION, RANKING_BATCHES
from rl_units.course import Assignment

ENDS = ("scored", "failed")
"""What a submission's end is called, as its state and as what is told of it."""
GIVEN_UP = tasks._TIRED
"""Why a submission has failed that was tried as often as any is."""


@dataclass(frozen=True)
class Published:
    """An evaluation as it is in the database.

    Attributes:
        id: Its number.
        score: What it is worth.
        n_episodes: How many games it says it has.
        numbers: Of the games that it has.
        agent_sha256: Of the weights that played.
        film: Its name; None without one.
    """

    id: int
    score: float
    n_episodes: int
    numbers: tuple[int, ...]
    agent_sha256: str
    film: str | None


@dataclass(frozen=True)
class Outcome:
    """What has become of a submission.

    Attributes:
        number: Its id.
        state: As it is shown.
        reason: Why it has failed.
        counting: The evaluation that counts.
        told: Its ends, in the order in which they were told.
        published: Its evaluations.
        batches: Of the games that were played for it.
    """

    number: int
    state: str
    reason: str
    counting: int | None
    told: tuple[str, ...]
    published: tuple[Published, ...]
    batches: tuple[str, ...]

    @property
    def was_given_up(self) -> bool:
        """Whether the judge has tried as often as it tries."""
        return (self.state, self.reason) == ("failed", GIVEN_UP)


def read_outcomes(connection: Connection) -> list[Outcome]:
    """The outcomes of all submissions, in their order."""
    told, published, played, games = (defaultdict(list) for _ in range(4))
    for row in connection.execute(select(activities).where(activities.c.kind.in_(ENDS)).order_by(activities.c.id)):
        told[row.submission_id].append(row.kind)
    for row in connection.execute(select(episodes).order_by(episodes.c.number)):
        games[row.evaluation_id].append(row.number)
    for row in connection.execute(select(evaluations).order_by(evaluations.c.id)):
        numbers = tuple(games[row.id])
        one = Published(row.id, row.score, row.n_episodes, numbers, row.agent_sha256, row.replay)
        published[row.submission_id].append(one)
    for row in connection.execute(select(batches).order_by(batches.c.batch)):
        played[row.submission_id].append(row.batch)
    return [
        Outcome(
            row.id,
            row.state,
            row.reason,
            row.evaluation_id,
            *(tuple(found[row.id]) for found in (told, published, played)),
        )
        for row in connection.execute(select(submissions).order_by(submissions.c.id))
    ]


def faults_of(outcome: Outcome, assignment: Assignment) -> list[str]:
    """What is wrong with how a blameless agent's submission has ended, as sentences.

    It has one verdict. Either that is a score, with all games of one ranking batch and, if it passes, one confirmation;
    or the judge has given up, and nothing is kept.
    """
    name, faults = f"Submission {outcome.number}", []
    if outcome.state not in ENDS:
        return [f"{name} has not ended: it is {outcome.state}."]
    if outcome.told != (outcome.state,):
        faults.append(f"{name} is {outcome.state}, and what was told is {list(outcome.told)}.")
    if outcome.state == "failed":
        if not outcome.was_given_up:
            faults.append(f"{name} is refused: {outcome.reason}")
        if outcome.published or outcome.batches:
            faults.append(f"{name} has failed, and has a score or games.")
        return faults
    if [published.id for published in outcome.published] != [outcome.counting]:
        return [*faults, f"{name} has {len(outcome.published)} evaluations; {outcome.counting} counts."]
    (published,) = outcome.published
    wanted = assignment.protocol.n_episodes
    if (published.n_episodes, published.numbers) != (wanted, tuple(range(wanted))):
        faults.append(f"{name} says that it has {published.n_episodes} games, and has {list(published.numbers)}.")
    confirmed = [CONFIRMATION] if assignment.passed_by(published.score) else []
    if list(outcome.batches) != [*confirmed, RANKING_BATCHES[0]]:
        faults.append(f"{name} has a score of {published.score}, and the batches {list(outcome.batches)}.")
    return faults


def faults_among(outcomes: Sequence[Outcome]) -> list[str]:
    """What is wrong if all of them are of different weights, as sentences."""
    agents = [published.agent_sha256 for outcome in outcomes for published in outcome.published]
    return [f"{len(agents)} evaluations are of {len(set(agents))} agents."] if len(agents) != len(set(agents)) else []
