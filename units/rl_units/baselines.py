"""What agents that learn nothing score: the figures that a board shows for comparison. Standard library only.

They are played by `rl_units.baseline_agents` (`make baselines`) and kept in a unit's `baselines.json`, never typed in.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from rl_units.course import Unit
from rl_units.errors import ManifestError, ResultError
from rl_units.files import write_text
from rl_units.results import EvaluationResult

FILE_NAME = "baselines.json"

BaselineName = Literal["random", "no-op"]
NAMES: tuple[BaselineName, ...] = get_args(BaselineName)

_TITLES: dict[BaselineName, str] = {"random": "Random actions", "no-op": "Doing nothing"}
_LIST_OF_NUMBERS = re.compile(r"\[[-+.,\s\deE]+\]")


@dataclass(frozen=True)
class Baseline:
    """An agent that learns nothing, scored exactly as a student's.

    Attributes:
        name: `"random"` draws every action uniformly, `"no-op"` does nothing.
        result: Every episode, the score, the protocol and the versions; its `algo` is `name`.
        command: What was run to play it.
    """

    name: BaselineName
    result: EvaluationResult
    command: str

    @property
    def title(self) -> str:
        """What it does, for people."""
        return _TITLES[self.name]

    @property
    def assignment_id(self) -> str:
        """The assignment whose board it belongs to; a protocol carries the id of its assignment."""
        return self.result.protocol_id


def load_baselines(unit: Unit) -> tuple[Baseline, ...]:
    """Reads a unit's `baselines.json`.

    Args:
        unit: The unit; only what was played under its protocols as they are now, with their public seeds, is returned.

    Returns:
        The baselines in the order of the file; none for a unit without that file. Derived numbers in the file are
        ignored and computed again from the episodes.

    Raises:
        ManifestError: If the file is malformed, a number in it is not finite, or a baseline stands twice.
    """
    path = unit.folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} cannot be read: {error}.") from error
    baselines = tuple(baseline for baseline in _parse(path, text) if _is_current(baseline, unit))
    keys = [(baseline.assignment_id, baseline.name) for baseline in baselines]
    if len(set(keys)) < len(keys):
        raise ManifestError(f"{path} holds a baseline more than once. Play them again: make baselines.")
    return baselines


def save_baselines(unit: Unit, baselines: Sequence[Baseline]) -> Path:
    """Writes a unit's `baselines.json`, atomically.

    Returns:
        Path of the file.

    Raises:
        StorageError: If it cannot be written.
    """
    entries = [{"command": baseline.command, **json.loads(baseline.result.to_json())} for baseline in baselines]
    text = json.dumps({"baselines": entries}, indent=2, allow_nan=False) + "\n"
    path = unit.folder / FILE_NAME
    # Fifty returns on one line and not on fifty.
    write_text(path, _LIST_OF_NUMBERS.sub(lambda match: "[" + " ".join(match.group()[1:-1].split()) + "]", text))
    return path


@lru_cache(maxsize=32)
def _parse(path: Path, text: str) -> tuple[Baseline, ...]:
    """The baselines of a file's text; a page asks for the same text again and again."""
    try:
        entries = json.loads(text, parse_constant=_refuse_constant)["baselines"]
        return tuple(_read_baseline(entry) for entry in entries)
    except (KeyError, TypeError, ValueError, RecursionError, ResultError) as error:
        raise ManifestError(
            f"{path} does not hold baselines: {type(error).__name__}: {error} Play them again: make baselines."
        ) from error


def _read_baseline(entry: dict[str, Any]) -> Baseline:
    command = entry["command"]
    if not isinstance(command, str):
        raise TypeError("'command' must be a text.")
    result = EvaluationResult.from_json(json.dumps(entry))
    if result.algo not in NAMES:
        raise ValueError(f"there is no baseline {result.algo!r}.")
    return Baseline(result.algo, result, command)


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number that a baseline may hold.")


def _is_current(baseline: Baseline, unit: Unit) -> bool:
    result = baseline.result
    played = (result.protocol_id, result.protocol_version, result.env_id, result.seeds)
    protocols = (assignment.protocol for assignment in unit.assignments)
    return any(
        played == (protocol.id, protocol.version, protocol.env_id, protocol.public_seeds) for protocol in protocols
    )
