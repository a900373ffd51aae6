"""How a run plays against itself."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rl_units.errors import CheckpointError, ConfigError
from rl_units.files import write_text

ENV_ID = "SnowballFight-v0"
"""The one environment of the course in which two agents meet."""

_FILE = "self_play.json"


@dataclass(frozen=True)
class SelfPlay:
    """Settings of self-play, under the names that ML-Agents gives them.

    Attributes:
        window: Past selves that are kept; the oldest goes when a new one comes.
        latest_ratio: Share of the experience that is gathered against the agent as it is now; the rest is against past
            selves. ML-Agents: `play_against_latest_model_ratio`.
        save_steps: Steps between two past selves.
        swap_steps: Steps after which past selves are drawn anew.
        rating_steps: Steps between two ratings; ours.

    Raises:
        ConfigError: If a value is out of its range.
    """

    window: int = 10
    latest_ratio: float = 0.5
    save_steps: int = 50_000
    swap_steps: int = 20_000
    rating_steps: int = 100_000

    def __post_init__(self) -> None:
        """Refuses values that no run could honour."""
        for name in ("window", "save_steps", "swap_steps", "rating_steps"):
            if getattr(self, name) < 1:
                raise ConfigError(f"Self-play: {name} must be at least 1.")
        if not 0 <= self.latest_ratio <= 1:
            raise ConfigError("Self-play: the share of games against the latest self is 0 to 1.")


def save_settings(settings: SelfPlay, run_folder: Path) -> None:
    """Keeps the settings with the run, so that it is resumed as it was begun.

    Raises:
        StorageError: If the file cannot be written.
    """
    write_text(run_folder / _FILE, json.dumps(asdict(settings)))


def load_settings(run_folder: Path) -> SelfPlay | None:
    """The settings that a run was begun with; None if it does not play against itself.

    Raises:
        CheckpointError: If the file is damaged.
    """
    path = run_folder / _FILE
    try:
        return SelfPlay(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged, so this run cannot be resumed: {error}.") from error
