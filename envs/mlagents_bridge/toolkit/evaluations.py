"""The score of a model, read from the `results.json` that an evaluation wrote."""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlagents_bridge.errors import BridgeError

FILE_NAME = "results.json"
_MOST_BYTES = 8 * 2**20  # 100,000 episodes
_ENV_ID = re.compile(r"[\w][\w./:-]{0,199}")


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
        env_id: Id of the environment that was played.
        protocol: Name and version of the rules of the evaluation, for people.
        returns: Return of every episode.
        model_sha256: Of the file that was evaluated, hexadecimal; empty where that is not said.
        text: The file, as it is.
    """

    env_id: str
    protocol: str
    returns: tuple[float, ...]
    model_sha256: str
    text: str

    @property
    def mean(self) -> float:
        """Mean return."""
        return math.fsum(self.returns) / len(self.returns)

    @property
    def std(self) -> float:
        """Population standard deviation of the returns."""
        mean = self.mean
        return math.sqrt(math.fsum((value - mean) ** 2 for value in self.returns) / len(self.returns))

    @property
    def claim(self) -> str:
        """Mean and standard deviation, as boards read them."""
        return f"{self.mean:.2f} +/- {self.std:.2f}"


def read_evaluation(path: Path) -> Evaluation:
    """Reads a `results.json`; what is derived in it is computed again from the episodes.

    Raises:
        BridgeError: If it cannot be read, or is no evaluation with finite returns.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BridgeError(f"{path} has more than {_MOST_BYTES:,} bytes, which no evaluation needs.")
        text = path.read_text(encoding="utf-8")
        document: dict[str, Any] = json.loads(text, parse_constant=_refuse_constant)
        evaluation = Evaluation(
            env_id=str(document["env_id"]),
            protocol=f"{document['protocol_id']}, version {int(document['protocol_version'])}",
            returns=tuple(float(value) for value in document["returns"]),
            model_sha256=str(document.get("agent_sha256", "")),
            text=text,
        )
        finite = evaluation.returns and math.isfinite(evaluation.mean) and math.isfinite(evaluation.std)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise BridgeError(f"{path} is not the result of an evaluation: {type(error).__name__}: {error}.") from error
    except OSError as error:
        raise BridgeError(f"{path} cannot be read: {error.strerror}.") from error
    if not finite:
        raise BridgeError(f"{path} has no finite returns, so there is no score. Evaluate the model again.")
    if not _ENV_ID.fullmatch(evaluation.env_id):
        raise BridgeError(f"{path} is about {evaluation.env_id[:60]!r}, which is no environment's id.")
    return evaluation


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number that a result may hold")
