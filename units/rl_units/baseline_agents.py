"""The agents that learn nothing, and playing them: `python -m rl_units.baseline_agents [assignment ...]`.

They are scored exactly as a student's agent is, by `rl_units.evaluation` under the unit's protocol with its public
seeds, and their results are written into the unit's `baselines.json`.
"""

import dataclasses
import functools
import hashlib
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from rl_units.agents.base import Agent, Observations, batch_size
from rl_units.baselines import NAMES, Baseline, BaselineName, load_baselines, save_baselines
from rl_units.course import CONTENT, Protocol, Unit, load_course
from rl_units.environments import agent_spaces, sample_action
from rl_units.errors import EvaluationError, ManifestError, UserError
from rl_units.evaluation import evaluate
from rl_units.results import EvaluationResult


class RandomAgent:
    """Draws every action uniformly; made for one episode.

    It draws once a decision, whatever the size of the batch, so that an action depends on the seed and on the number
    of decisions before it, and on nothing else.

    Args:
        space: Action space.
        seed: Seed of the episode that it plays.
    """

    def __init__(self, space: spaces.Space[Any], seed: int) -> None:
        self._space = space
        # The second word keeps the draws apart from the environment's stream and from the protocol's coins.
        self._rng = np.random.default_rng([seed, 2])

    @property
    def algo(self) -> str:
        """`"random"`."""
        return "random"

    @property
    def sha256(self) -> str:
        """Hash of the name: there are no weights."""
        return _hash_of(self.algo)

    def act(self, observations: Observations) -> NDArray[Any]:
        """Draws the next action, the same for each observation.

        Raises:
            EvaluationError: As `environments.sample_action`.
        """
        return _repeated(sample_action(self._space, self._rng), batch_size(observations))


class NoOpAgent:
    """Does nothing: action 0, or the one closest to it where 0 is none.

    Args:
        space: Action space.
    """

    def __init__(self, space: spaces.Space[Any]) -> None:
        self._action = no_op(space)

    @property
    def algo(self) -> str:
        """`"no-op"`."""
        return "no-op"

    @property
    def sha256(self) -> str:
        """Hash of the name: there are no weights."""
        return _hash_of(self.algo)

    def act(self, observations: Observations) -> NDArray[Any]:
        """The same action for each observation."""
        return _repeated(self._action, batch_size(observations))


def no_op(space: spaces.Space[Any]) -> NDArray[Any]:
    """The action of a space that does nothing: zero in every place, or the closest to it that the space holds.

    Raises:
        EvaluationError: If the space is of another kind than Discrete, MultiDiscrete, MultiBinary or Box.
    """
    if isinstance(space, spaces.Discrete):
        return np.asarray(np.clip(0, space.start, space.start + space.n - 1), np.int64)
    if isinstance(space, spaces.MultiDiscrete):
        return np.clip(np.zeros_like(space.nvec), space.start, space.start + space.nvec - 1).astype(space.dtype)
    if isinstance(space, spaces.MultiBinary):
        return np.zeros(space.shape, space.dtype)
    if isinstance(space, spaces.Box):
        return np.clip(np.zeros(space.shape, space.dtype), space.low, space.high)
    raise EvaluationError(f"Doing nothing is not defined for the action space {space}.")


def play_baseline(name: BaselineName, protocol: Protocol) -> EvaluationResult:
    """Scores a baseline under a protocol with its public seeds.

    Every episode gets an agent of its own, seeded with the episode's seed, so that it can be played again alone.

    Raises:
        UserError: If the environment cannot be made, or the action space is of an unknown kind.
    """
    space = agent_spaces(protocol)[1]

    def play(index: int, seed: int) -> EvaluationResult:
        agent: Agent = RandomAgent(space, seed) if name == "random" else NoOpAgent(space)
        return evaluate(agent, protocol, seeds=(seed,), n_envs=1, first_index=index)

    games = [play(index, seed) for index, seed in enumerate(protocol.public_seeds)]
    return dataclasses.replace(
        games[-1],
        returns=tuple(game.returns[0] for game in games),
        lengths=tuple(game.lengths[0] for game in games),
        seeds=protocol.public_seeds,
    )


def update_baselines(unit: Unit, assignment_ids: Collection[str], report: Callable[[str], object]) -> None:
    """Plays the baselines of some assignments of a unit and writes them; those of its others stay as they are.

    The file is written after every assignment, so that an interruption loses one at most.

    Args:
        unit: The unit.
        assignment_ids: Whose baselines are played.
        report: Takes a line for every baseline played.

    Raises:
        UserError: If a baseline cannot be played, or the file is malformed or cannot be written.
    """
    # With nothing to keep, a damaged file is no obstacle.
    kept = [] if {a.id for a in unit.assignments} <= set(assignment_ids) else list(load_baselines(unit))
    for assignment in unit.assignments:
        if assignment.id not in assignment_ids:
            continue
        command = f"python -m rl_units.baseline_agents {assignment.id}"
        played = [Baseline(name, play_baseline(name, assignment.protocol), command) for name in NAMES]
        for baseline in played:
            report(f"{assignment.title}, {baseline.title.lower()}: {_describe(baseline.result)}")
        kept = [baseline for baseline in kept if baseline.assignment_id != assignment.id] + played
        save_baselines(unit, _sorted(kept, unit))


def main(arguments: Sequence[str], content: Path = CONTENT) -> int:
    """Plays the baselines of the assignments named, or of the whole course, and prints their scores.

    Args:
        arguments: Ids of assignments; none stands for all of them.
        content: Folder with one folder a unit.

    Returns:
        Exit code: 0, or 2 after a sentence on stderr.
    """
    report = functools.partial(print, flush=True)
    try:
        course = load_course(content)
        known = [assignment.id for assignment in course.assignments]
        unknown = sorted(set(arguments) - set(known))
        if unknown:
            raise ManifestError(f"There is no assignment {', '.join(unknown)}; there are: {', '.join(known)}.")
        for unit in course.units:
            update_baselines(unit, set(arguments or known), report)
    except UserError as error:
        report(error, file=sys.stderr)
        return error.exit_code
    return 0


def _describe(result: EvaluationResult) -> str:
    return (
        f"{result.mean_reward:.2f} +/- {result.std_reward:.2f} over {result.n_episodes} episodes, "
        f"score {result.score:.2f}"
    )


def _sorted(baselines: Sequence[Baseline], unit: Unit) -> list[Baseline]:
    """In the order of the manifest, so that playing one assignment again changes no other line of the file."""
    places = {assignment.id: place for place, assignment in enumerate(unit.assignments)}
    return sorted(baselines, key=lambda baseline: (places[baseline.assignment_id], NAMES.index(baseline.name)))


def _repeated(action: Any, times: int) -> NDArray[Any]:
    return np.repeat(np.asarray(action)[None], times, axis=0)


def _hash_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
