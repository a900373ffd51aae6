"""Which batch of seeds an agent plays next: pure rules.

Whoever could have the same agent evaluated again and again would keep the luckiest result. So an agent is known by the
hash of its weights, its first batch is drawn once, and a student who hands the same weights in again has them play
another batch: the episodes of all batches together make the score, which gets more exact and not luckier. That score is
the one of all submissions with these weights: were it that of the newest alone, a rule that counts the
best would still find the luckiest.

A certificate rests on other games than the board. An agent whose pooled score passes plays the confirmation batch,
whose seeds are used for nothing else: agents are chosen by their score in the ranking batches, so that this score
flatters those who pass.

Batches count within one version of a protocol and one season; another version or season begins at the first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_BATCHES = 4
"""Ranking batches of one agent: four times the episodes halve the interval, and what is left is no longer luck."""

CONFIRMATION = "confirmation"
"""Name of the batch that certificates rest on."""

_RANKING = "ranking-"


@dataclass(frozen=True)
class Round:
    """Where batches are counted together.

    Attributes:
        protocol_id: See `rl_units.course.Protocol.id`.
        protocol_version: See `rl_units.course.Protocol.version`.
        season: Name of the season.
    """

    protocol_id: str
    protocol_version: int
    season: str


@dataclass(frozen=True)
class Played:
    """A batch that an agent has finished.

    Attributes:
        agent_sha256: Hash of its weights.
        source: Where the student who handed it in is known.
        student_key: The student, within the source.
        round: Under what it was played.
        batch: Name of the batch, see `ranking_batch` and `CONFIRMATION`.
        submission_id: For which submission; a submission that is judged again, after a crash for example, plays
            nothing twice.
    """

    agent_sha256: str
    source: str
    student_key: str
    round: Round
    batch: str
    submission_id: int


@dataclass(frozen=True)
class Request:
    """An agent that waits for its verdict; see `Played`."""

    agent_sha256: str
    source: str
    student_key: str
    round: Round
    submission_id: int


@dataclass(frozen=True)
class Plan:
    """What the judge does for a request.

    Attributes:
        play: Name of the ranking batch to be played; None if what has been played is published again.
        pool: Names of the ranking batches whose episodes together make the score, in their order, with `play`.
    """

    play: str | None
    pool: Sequence[str]


def ranking_batch(number: int) -> str:
    """Name of a ranking batch, from 1 to `MOST_BATCHES`.

    Raises:
        ValueError: If there is no such batch.
    """
    if not 1 <= number <= MOST_BATCHES:
        raise ValueError(f"There are ranking batches 1 to {MOST_BATCHES}, and no batch {number}.")
    return f"{_RANKING}{number}"


def published_name(season: str, batch: str) -> str:
    """How a result is called that rests on the batches of a season up to this one: `2026-autumn/ranking-2`."""
    return season_prefix(season) + batch


def season_prefix(season: str) -> str:
    """What the names of a season's results begin with, and no other's: a season's name has no slash."""
    return f"{season}/"


def season_of(name: str) -> str:
    """The season of a `published_name`."""
    return name.partition("/")[0]


RANKING_BATCHES = tuple(ranking_batch(number) for number in range(1, MOST_BATCHES + 1))
"""Names of all of them, in the order in which they are played."""


def plan(request: Request, played: Iterable[Played]) -> Plan:
    """What is to be played for a submission, and what is pooled.

    The first batch of an agent is played once, whoever hands it in: for somebody else with the same weights (a copy,
    or a common starting point) it is not drawn again, and what is known of it is published. Only the student who had
    it played first has it play more, so that nobody moves another's score.

    Args:
        request: The agent and its submission.
        played: What is known of earlier evaluations: at least all batches of these weights; others are passed over.
    """
    mine = _of_agent(request, played)
    done = {known.batch: known for known in mine if known.batch in RANKING_BATCHES}
    missing = [name for name in RANKING_BATCHES if name not in done]
    has_played = any(known.submission_id == request.submission_id for known in done.values())
    first = done.get(RANKING_BATCHES[0])
    is_owner = first is None or (first.source, first.student_key) == (request.source, request.student_key)
    play = missing[0] if missing and is_owner and not has_played else None
    return Plan(play, [name for name in RANKING_BATCHES if name in done or name == play])


def next_confirmation(
    request: Request, played: Iterable[Played], pooled_score: float, threshold: float | None
) -> str | None:
    """The batch to be played for a certificate; None if there is nothing to confirm, or it has been played.

    It is played once: an agent that passes in its ranking batches and fails there stays uncertified, and has to be
    trained further, which gives it other weights.

    Args:
        request: The agent and its submission.
        played: See `plan`.
        pooled_score: Of all its ranking batches.
        threshold: The score that passes; None for an open challenge, which certifies nothing.
    """
    if threshold is None or not pooled_score >= threshold:
        return None
    confirmed = any(known.batch == CONFIRMATION for known in _of_agent(request, played))
    return None if confirmed else CONFIRMATION


def _of_agent(request: Request, played: Iterable[Played]) -> list[Played]:
    return [known for known in played if known.agent_sha256 == request.agent_sha256 and known.round == request.round]
