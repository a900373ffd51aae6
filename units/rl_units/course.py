"""The course manifest: units, assignments and scoring protocols, read from `content/<unit>/unit.toml`.

This is the only place for environment ids, thresholds and episode counts: lessons, notebooks, judge, boards and
certificates read them from here. Standard library only, so that a web process can import it.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from rl_units.errors import ManifestError

CONTENT = Path(__file__).parent / "content"

Preprocessing = Literal["none", "atari"]
ActionMode = Literal["deterministic", "epsilon_greedy"]


@dataclass(frozen=True)
class Protocol:
    """How an environment is scored. A change of any field means a new `version`.

    Attributes:
        id: Name of the protocol; results are comparable only within one (id, version).
        version: Starts at 1.
        env_id: Gymnasium id.
        preprocessing: `"atari"` is the Zoo's wrapping (no-op starts, frame skip 4, max-pool over the last two frames,
            fire on reset, 84x84 grey); `"none"` is the bare environment. Returns are always those of full,
            unclipped games.
        frame_stack: Observations stacked along the channel axis; 1 stacks nothing.
        n_episodes: Full episodes in a score.
        action_mode: `"deterministic"`, or `"epsilon_greedy"`: with probability `epsilon` a uniformly random action
            replaces the agent's deterministic one.
        epsilon: In [0, 1); 0 when deterministic.
        max_episode_steps: Limit in steps of the bare environment (Atari: emulator frames, a quarter as many
            decisions of the agent), after which the episode is truncated. None: the environment's own limit.
        first_public_seed: Episode `i` of a student's evaluation runs with seed `first_public_seed + i`.
        env_kwargs: Arguments of the environment's constructor; plain values only.
        opponents: Whom the agent plays, by the environment's own names: a pair of games against each in turn, one from
            either seat with the same seed. Empty where an agent plays alone.
    """

    id: str
    version: int
    env_id: str
    preprocessing: Preprocessing = "none"
    frame_stack: int = 1
    n_episodes: int = 50
    action_mode: ActionMode = "deterministic"
    epsilon: float = 0.0
    max_episode_steps: int | None = None
    first_public_seed: int = 1000
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    opponents: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuses values that no evaluation could honour.

        Raises:
            ManifestError: If a field is out of its range.
        """
        paired = 2 * len(self.opponents)
        problems = {
            "version must be at least 1": self.version < 1,
            "frame_stack must be at least 1": self.frame_stack < 1,
            "n_episodes must be at least 1": self.n_episodes < 1,
            "max_episode_steps must be at least 1": (self.max_episode_steps or 1) < 1,
            "preprocessing must be 'none' or 'atari'": self.preprocessing not in ("none", "atari"),
            "action_mode must be 'deterministic' or 'epsilon_greedy'": self.action_mode
            not in ("deterministic", "epsilon_greedy"),
            "epsilon must be in [0, 1)": not 0.0 <= self.epsilon < 1.0,
            "epsilon goes with action_mode 'epsilon_greedy'": (self.epsilon > 0)
            != (self.action_mode == "epsilon_greedy"),
            f"n_episodes must be a multiple of {paired}, a pair of games against every opponent": bool(paired)
            and self.n_episodes % max(paired, 1) != 0,
        }
        for problem, found in problems.items():
            if found:
                raise ManifestError(f"Protocol {self.id!r}: {problem}.")

    @property
    def public_seeds(self) -> tuple[int, ...]:
        """One seed an episode, known to everybody; a judge draws its own, secret ones."""
        return self.paired(range(self.first_public_seed, self.first_public_seed + self.n_episodes))

    def paired(self, seeds: Sequence[int]) -> tuple[int, ...]:
        """Seeds as they are played: against an opponent, both games of a pair have the first one's."""
        return tuple(seeds[index - index % 2] if self.opponents else seed for index, seed in enumerate(seeds))

    def reset_options(self, index: int) -> dict[str, Any] | None:
        """What the environment's `reset` is told of episode `index`: the opponent, and in which seat the agent sits."""
        if not self.opponents:
            return None
        return {"opponent": self.opponents[index // 2 % len(self.opponents)], "seat": index % 2}


@dataclass(frozen=True)
class Assignment:
    """Something a student hands in.

    Attributes:
        id: Unique in the course, for example `"space-invaders"`.
        title: For people.
        protocol: How it is scored.
        threshold: Score (`mean_reward - std_reward`) that passes; None for an open challenge.
        required: Whether the certificate asks for it.
        aliases: Other names that count as this environment's: ids of older or newer versions, and what ML-Agents, which
            tags its models by their behaviour, calls it.
    """

    id: str
    title: str
    protocol: Protocol
    threshold: float | None
    required: bool
    aliases: tuple[str, ...] = ()

    @property
    def env_id(self) -> str:
        """The Gymnasium id that the assignment is played in."""
        return self.protocol.env_id

    def passed_by(self, score: float) -> bool:
        """Whether a score passes; an open challenge is passed by any finite score."""
        return math.isfinite(score) and (self.threshold is None or score >= self.threshold)


@dataclass(frozen=True)
class Unit:
    """A lesson with its assignments: one folder of `content/`.

    Attributes:
        id: Name of the folder.
        number: Place in the course.
        title: For people.
        notebook: Name of the notebook, without suffix.
        folder: Where `unit.toml`, `lesson.md`, `quiz.toml` and the hyperparameter files are.
        hyperparameters: Algorithm name to YAML file.
        assignments: In the order of the manifest.
    """

    id: str
    number: int
    title: str
    notebook: str
    folder: Path
    hyperparameters: Mapping[str, Path]
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True)
class Course:
    """All units, in order."""

    units: tuple[Unit, ...]

    @property
    def assignments(self) -> Iterator[Assignment]:
        """Every assignment of every unit."""
        return (assignment for unit in self.units for assignment in unit.assignments)

    def unit(self, unit_id: str) -> Unit:
        """The unit of that id.

        Raises:
            ManifestError: If there is none.
        """
        for unit in self.units:
            if unit.id == unit_id:
                return unit
        raise ManifestError(f"There is no unit {unit_id!r}; there are: {', '.join(unit.id for unit in self.units)}.")

    def assignment_for(self, env_id: str) -> Assignment | None:
        """The assignment played in `env_id` or one of its aliases; None if the course has none."""
        for assignment in self.assignments:
            if env_id in (assignment.env_id, *assignment.aliases):
                return assignment
        return None

    def hyperparameters_for(self, algo: str, env_id: str) -> Path | None:
        """The unit's YAML file for an algorithm on an environment; None if the course has none."""
        for unit in self.units:
            if any(env_id in (assignment.env_id, *assignment.aliases) for assignment in unit.assignments):
                return unit.hyperparameters.get(algo)
        return None


@lru_cache(maxsize=8)
def load_course(content: Path = CONTENT) -> Course:
    """Reads every `unit.toml` below `content`.

    Args:
        content: Folder with one folder a unit.

    Returns:
        The course, units ordered by number.

    Raises:
        ManifestError: If a manifest is malformed, or an id stands twice.
    """
    units = sorted((_read_unit(path) for path in content.glob("*/unit.toml")), key=lambda unit: unit.number)
    course = Course(tuple(units))
    _refuse_repeats("assignment", [assignment.id for assignment in course.assignments])
    _refuse_repeats("environment", [env for a in course.assignments for env in (a.env_id, *a.aliases)])
    _refuse_repeats("unit number", [str(unit.number) for unit in units])
    return course


def _refuse_repeats(what: str, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ManifestError(f"The course names the {what} {', '.join(repeated)} more than once.")


def _read_unit(path: Path) -> Unit:
    import tomllib  # late: half of this module's import time, and a reader of results never needs it

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        protocols: dict[str, dict[str, Any]] = table["protocols"]
        hyperparameters = {algo: path.parent / name for algo, name in table["hyperparameters"].items()}
        unit = Unit(
            id=path.parent.name,
            number=table["number"],
            title=table["title"],
            notebook=table["notebook"],
            folder=path.parent,
            hyperparameters=hyperparameters,
            assignments=tuple(_read_assignment(entry, protocols) for entry in table["assignments"]),
        )
    except (KeyError, TypeError, ValueError) as error:  # both decoders raise a ValueError
        raise ManifestError(f"{path} is not a unit manifest: {type(error).__name__}: {error}.") from error
    for file in hyperparameters.values():
        if not file.is_file():
            raise ManifestError(f"{path} names the hyperparameter file {file.name}, which does not exist.")
    return unit


def _read_assignment(entry: dict[str, Any], protocols: dict[str, dict[str, Any]]) -> Assignment:
    settings = protocols[entry["protocol"]]
    opponents = tuple(settings.get("opponents", ()))  # TOML has lists
    protocol = Protocol(id=entry["id"], env_id=entry["env_id"], **{**settings, "opponents": opponents})
    threshold = entry.get("threshold")
    if threshold is not None and not math.isfinite(threshold):
        raise ManifestError(f"Assignment {entry['id']!r}: the threshold must be a finite number.")
    return Assignment(
        id=entry["id"],
        title=entry["title"],
        protocol=protocol,
        threshold=None if threshold is None else float(threshold),
        required=entry["required"],
        aliases=tuple(entry.get("aliases", ())),
    )
