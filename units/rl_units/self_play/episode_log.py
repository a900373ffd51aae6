"""The file of ended episodes, as SB3's `Monitor` writes it and as curves are drawn from it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stable_baselines3.common.monitor import ResultsWriter

_FILE = "0.monitor.csv"


class EpisodeLog:
    """Writes a row for every ended episode.

    Args:
        folder: Of the run; None writes nowhere.
    """

    def __init__(self, folder: Path | None) -> None:
        self._writer = None if folder is None else ResultsWriter(str(folder / _FILE), header={"t_start": 0.0})

    def note(self, infos: Iterable[Mapping[str, Any]]) -> None:
        """Takes the infos of a step; those with SB3's `"episode"` are written."""
        if self._writer is not None:
            for info in infos:
                if "episode" in info:
                    self._writer.write_row(info["episode"])

    def close(self) -> None:
        """Closes the file."""
        if self._writer is not None:
            self._writer.close()
