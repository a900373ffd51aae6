"""What an evaluation found, the score, and `results.json`. Standard library only.

The score of a submission is `mean_reward - std_reward`, with the population standard deviation (numpy's default,
ddof 0) of the full, unclipped episode returns.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rl_units.errors import ResultError
from rl_units.files import write_text

FILE_NAME = "results.json"
_TOO_LARGE = "An episode return is too large to be scored."


def mean(returns: Sequence[float]) -> float:
    """Arithmetic mean, exactly rounded.

    Raises:
        ResultError: If `returns` is empty, or holds a number that is not finite or too large.
    """
    if not returns:
        raise ResultError("A score needs at least one finished episode.")
    try:
        if not all(math.isfinite(value) for value in returns):
            raise ResultError("An episode return is not a finite number, so there is no score.")
        return math.fsum(returns) / len(returns)
    except OverflowError as error:
        raise ResultError(_TOO_LARGE) from error


def std(returns: Sequence[float]) -> float:
    """Population standard deviation (ddof 0), as numpy computes it by default.

    Raises:
        ResultError: As `mean`.
    """
    centre = mean(returns)
    try:
        variance = math.fsum((value - centre) ** 2 for value in returns) / len(returns)
    except OverflowError as error:
        raise ResultError(_TOO_LARGE) from error
    if not math.isfinite(variance):  # a difference has become infinite without an OverflowError
        raise ResultError(_TOO_LARGE)
    return math.sqrt(variance)


def score(returns: Sequence[float]) -> float:
    """`mean - std`: what boards rank by and thresholds compare with.

    Raises:
        ResultError: As `mean`.
    """
    return mean(returns) - std(returns)


@dataclass(frozen=True)
class EvaluationResult:
    """One evaluation of one agent under one protocol.

    Attributes:
        env_id: Gymnasium id.
        algo: Algorithm name as the Zoo spells it, for example `"dqn"`.
        protocol_id: See `course.Protocol.id`.
        protocol_version: See `course.Protocol.version`.
        returns: Full, unclipped return of every episode, in the order of `seeds`.
        lengths: Steps of the bare environment in every episode (Atari: emulator frames).
        seeds: Seed of every episode.
        is_deterministic: False when the protocol mixes in random actions.
        epsilon: Share of random actions.
        agent_sha256: Hash of the loaded weights; the same weights have the same hash whatever file they came in.
        evaluated_at: UTC time, ISO 8601.
        versions: Package versions that took part.
    """

    env_id: str
    algo: str
    protocol_id: str
    protocol_version: int
    returns: tuple[float, ...]
    lengths: tuple[int, ...]
    seeds: tuple[int, ...]
    is_deterministic: bool
    epsilon: float
    agent_sha256: str
    evaluated_at: str
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuses what is no result.

        Raises:
            ResultError: If there is no episode, a number is not finite or too large, or the columns differ in length.
        """
        score(self.returns)
        if not len(self.returns) == len(self.lengths) == len(self.seeds):
            raise ResultError("Returns, lengths and seeds of an evaluation must have one entry an episode.")

    @property
    def n_episodes(self) -> int:
        """Number of finished episodes."""
        return len(self.returns)

    @property
    def mean_reward(self) -> float:
        """Mean return."""
        return mean(self.returns)

    @property
    def std_reward(self) -> float:
        """Population standard deviation of the returns."""
        return std(self.returns)

    @property
    def score(self) -> float:
        """`mean_reward - std_reward`."""
        return score(self.returns)

    def to_json(self) -> str:
        """The text of `results.json`.

        The first five keys are those that the Zoo's own `results.json` has, so that its readers read ours.
        """
        document = {
            "mean_reward": self.mean_reward,
            "std_reward": self.std_reward,
            "is_deterministic": self.is_deterministic,
            "n_eval_episodes": self.n_episodes,
            "eval_datetime": self.evaluated_at,
            "score": self.score,
            **{key: value for key, value in asdict(self).items() if key not in ("is_deterministic", "evaluated_at")},
        }
        return json.dumps(document, indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "EvaluationResult":
        """Reads `results.json`; derived numbers in it are ignored and computed again from the episodes.

        Raises:
            ResultError: If the text is not such a document.
        """
        try:
            document: dict[str, Any] = json.loads(text, parse_constant=_refuse_constant)
            return cls(
                env_id=str(document["env_id"]),
                algo=str(document["algo"]),
                protocol_id=str(document["protocol_id"]),
                protocol_version=int(document["protocol_version"]),
                returns=tuple(float(value) for value in document["returns"]),
                lengths=tuple(int(value) for value in document["lengths"]),
                seeds=tuple(int(value) for value in document["seeds"]),
                is_deterministic=bool(document["is_deterministic"]),
                epsilon=float(document["epsilon"]),
                agent_sha256=str(document["agent_sha256"]),
                evaluated_at=str(document["eval_datetime"]),
                versions={str(name): str(version) for name, version in dict(document["versions"]).items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise ResultError(f"This is not a results.json of ours: {type(error).__name__}: {error}.") from error

    def save(self, folder: Path) -> Path:
        """Writes `results.json` into `folder`, atomically.

        Returns:
            Path of the file.

        Raises:
            StorageError: If it cannot be written.
        """
        path = folder / FILE_NAME
        write_text(path, self.to_json())
        return path


def load_result(path: Path) -> EvaluationResult:
    """Reads a `results.json`, given as the file or as its folder.

    Raises:
        ResultError: If it is missing or malformed.
    """
    file = path / FILE_NAME if path.is_dir() else path
    try:
        return EvaluationResult.from_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ResultError(f"{file} cannot be read: {error}.") from error


def _refuse_constant(name: str) -> float:
    raise ResultError(f"{name} is not a number that a result may hold.")
