"""Numbers that an environment reports beside the game, summarised."""

import math
from dataclasses import dataclass
from typing import Final

from mlagents_bridge.side_channels import Aggregation, read_statistic

_MAX_NAMES: Final = 10_000
"""Whoever invents a new name in every step would fill the memory; further names are not kept."""


@dataclass
class _Summary:
    aggregation: Aggregation
    count: int = 0
    total: float = 0.0
    last: float = 0.0

    def value(self) -> float:
        if self.aggregation is Aggregation.MOST_RECENT:
            return self.last
        return self.total if self.aggregation is Aggregation.SUM else self.total / self.count


class Statistics:
    """Collects statistics until they are taken."""

    def __init__(self) -> None:
        self._summaries: dict[str, _Summary] = {}

    def add(self, content: bytes) -> None:
        """Counts a statistic, unless its value is not finite.

        Args:
            content: Its message.

        Raises:
            BridgeError: If it is malformed.
        """
        name, value, aggregation = read_statistic(content)
        if not math.isfinite(value) or (name not in self._summaries and len(self._summaries) >= _MAX_NAMES):
            return
        summary = self._summaries.setdefault(name, _Summary(aggregation))
        summary.aggregation = aggregation
        summary.count += 1
        summary.total += value
        summary.last = value

    def take(self) -> dict[str, float]:
        """Each statistic since the last call: its mean, its sum or its last value, as the environment asks for it."""
        taken = {name: summary.value() for name, summary in self._summaries.items()}
        self._summaries.clear()
        return taken
