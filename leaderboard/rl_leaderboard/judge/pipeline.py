"""From a commit to a verdict: fetch, load in a sandbox, play, film, compute.

Everything that knows seeds and rewards happens in this process; whatever a student has written is opened in the
sandbox only.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rl_hub import clock
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.judge.failures import NotNow, Refused
from rl_leaderboard.judge.fetching import embedded, remote
from rl_leaderboard.judge.films import film
from rl_leaderboard.judge.players import AgentFailed, PlayerPool, PlayersUnavailable
from rl_leaderboard.judge.sandbox.scratch import Scratch
from rl_leaderboard.judge.tasks import Task, Verdict
from rl_leaderboard.people.people import HUB
from rl_leaderboard.rules import batches, intervals, seeds
from rl_leaderboard.rules.batches import Played, Request, Round
from rl_leaderboard.rules.sources import source_name
from rl_leaderboard.submissions import batches as records
from rl_leaderboard.submissions.batches import Batch
from rl_leaderboard.submissions.evaluations import Episode, Measurement
from rl_units import evaluation
from rl_units.agents import find_weights
from rl_units.agents.base import Agent
from rl_units.course import Protocol
from rl_units.errors import EvaluationError, UnsafeAgentError
from rl_units.results import score

Report = Callable[[str], None]
"""Is told how far it is, a line each time; raises if it is to stop."""

_AT_HOME = "Play it with `python -m rl_units evaluate` on your own machine, mend it and push again."


@dataclass(frozen=True)
class Bench:
    """What every measurement of a worker needs.

    Attributes:
        classroom: The classroom.
        players: Sandboxed processes that play agents.
        isolation: In which kind of sandbox.
    """

    classroom: Classroom
    players: PlayerPool
    isolation: str


def measure(bench: Bench, task: Task, report: Report) -> Verdict:
    """Measures a submission.

    Args:
        bench: What is needed.
        task: What to measure.
        report: Is told how far it is.

    Raises:
        Refused: If it is the submission's fault that there is no score.
        NotNow: If it is not.
    """
    lines: list[str] = []
    began = time.monotonic()

    def tell(line: str) -> None:
        lines.append(f"{time.monotonic() - began:6.1f} s  {line}")
        report(line)

    with Scratch() as folder:
        _fetch(bench.classroom, task, folder)
        sizes = [file.stat().st_size for file in folder.iterdir()]
        tell(f"Fetched {len(sizes)} file{'' if len(sizes) == 1 else 's'}, {sum(sizes):,} bytes.")
        judged = _judged_file(folder, task.assignment.protocol)
        if judged and (others := _other_weights(folder, judged)):
            tell(f"Judges {judged}, and does not look at {', '.join(others)}.")
        try:
            with bench.players.load(folder, task.assignment.protocol) as agent:
                tell(f"Loaded an agent of {agent.algo} in a sandbox, {bench.isolation}.")
                return _Match(bench, task, agent, judged, tell, lines).play()
        except AgentFailed as error:
            raise Refused(error.reason, error.sentence) from error
        except PlayersUnavailable as error:
            raise NotNow("no-sandbox", f"{error}") from error
        except EvaluationError as error:
            raise Refused("bad-action", f"{error} {_AT_HOME}") from error


def _fetch(classroom: Classroom, task: Task, folder: Path) -> None:
    submission = task.submission
    if submission.source == HUB:
        if classroom.hub is None:
            raise NotNow("no-hub", "The class's Hub is not here.")
        embedded.fetch(classroom.hub, submission.repo_id, submission.sha, folder)
        return
    address = next((one for one in classroom.settings.sources if source_name(one) == submission.source), None)
    if address is None:
        raise Refused("unknown-hub", f"This classroom does not read {submission.source} any more.")
    remote.fetch(address, classroom.settings.source_token, submission.repo_id, submission.sha, folder)


def _judged_file(folder: Path, protocol: Protocol) -> str:
    """The name of the file that the weights come from; empty if there is none, which whoever loads them says."""
    with contextlib.suppress(UnsafeAgentError):
        return find_weights(folder, protocol.env_id).name
    return ""


def _other_weights(folder: Path, judged: str) -> Sequence[str]:
    """Files that hold weights as well, which nobody has compared with those that are judged."""
    names = sorted(file.name for file in folder.iterdir() if file.suffix in (".safetensors", ".onnx", ".zip"))
    return [name for name in names if name != judged]


class _Match:
    """An agent that is loaded, and the games that it has to play."""

    def __init__(
        self, bench: Bench, task: Task, agent: Agent, judged_file: str, tell: Report, lines: Sequence[str]
    ) -> None:
        self._bench = bench
        self._task = task
        self._agent = agent
        self._judged_file = judged_file
        self._tell = tell
        self._lines = lines
        self._protocol: Protocol = task.assignment.protocol
        self._round = Round(self._protocol.id, self._protocol.version, bench.classroom.settings.season)
        submission = task.submission
        self._request = Request(agent.sha256, submission.source, submission.student_key, self._round, submission.id)

    def play(self) -> Verdict:
        """Plays what has to be played, and says what it amounts to."""
        with self._bench.classroom.read() as connection:
            played, games = records.read(connection, self._agent.sha256, self._round)
        plan = batches.plan(self._request, played)
        new: list[Batch] = []
        if plan.play is None:
            self._tell("These weights have played already: nothing is drawn again.")
        else:
            new.append(self._play(plan.play))
        pool = [episode for name in plan.pool for episode in _games(name, games, new)]
        pooled = score([episode.episode_return for episode in pool])
        self._tell(f"Score {pooled:.2f} over {len(pool)} games.")
        new += self._confirm(played, pooled)
        replay = film(self._agent, self._protocol, self._seeds(plan.pool[0])[0], self._bench.classroom, self._tell)
        return Verdict(self._measurement(plan.pool[-1], pool, replay), new)

    def _confirm(self, played: Sequence[Played], pooled: float) -> list[Batch]:
        name = batches.next_confirmation(self._request, played, pooled, self._task.assignment.threshold)
        if name is None:
            return []
        self._tell("It passes: a certificate needs the same in other games.")
        batch = self._play(name)
        confirmed = score([episode.episode_return for episode in batch.episodes])
        self._tell(f"Score {confirmed:.2f} in the games of the confirmation.")
        return [batch]

    def _play(self, name: str) -> Batch:
        count = self._protocol.n_episodes
        finished = 0

        def note(_episode: object) -> None:
            nonlocal finished
            finished += 1
            if finished % max(1, count // 5) == 0:
                self._tell(f"Played {finished} of {count} games.")

        result = evaluation.evaluate(self._agent, self._protocol, seeds=self._seeds(name), on_episode=note)
        limit = self._protocol.max_episode_steps
        episodes = [
            Episode(value, length, truncated=limit is not None and length >= limit)
            for value, length in zip(result.returns, result.lengths, strict=True)
        ]
        return Batch(
            self._agent.sha256,
            self._round,
            name,
            self._task.submission.id,
            episodes,
            self._bench.isolation,
            clock.now(),
        )

    def _seeds(self, name: str) -> tuple[int, ...]:
        secret, season = self._bench.classroom.secret, self._round.season
        return seeds.derive_seeds(
            secret, self._protocol.id, self._protocol.version, season, name, self._protocol.n_episodes
        )

    def _measurement(self, last: str, pool: Sequence[Episode], replay: str | None) -> Measurement:
        return Measurement(
            protocol_id=self._protocol.id,
            protocol_version=self._protocol.version,
            batch=batches.published_name(self._round.season, last),
            episodes=pool,
            interval=intervals.score_interval([episode.episode_return for episode in pool]),
            isolation=self._bench.isolation,
            agent_sha256=self._agent.sha256,
            versions=evaluation.package_versions(),
            finished_at=clock.now(),
            log="\n".join(self._lines),
            replay=replay,
            judged_file=self._judged_file,
        )


def _games(name: str, known: Mapping[str, Sequence[Episode]], new: Sequence[Batch]) -> Sequence[Episode]:
    return known[name] if name in known else next(batch.episodes for batch in new if batch.name == name)
