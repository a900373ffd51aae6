"""Round numbers for the axes of charts."""

import math
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_TINY = 1e-100


@dataclass(frozen=True)
class Scale:
    """An axis that begins and ends at a multiple of a round step.

    Attributes:
        first: Number of the first step: the axis begins at `first * step`.
        last: Number of the last step.
        step: Distance of two round numbers.
    """

    first: int
    last: int
    step: float

    @property
    def low(self) -> float:
        """Where the axis begins."""
        return self.first * self.step

    @property
    def high(self) -> float:
        """Where it ends."""
        return self.last * self.step

    def values(self, every: int = 1) -> list[float]:
        """The multiples of `every` steps on the axis."""
        return [number * self.step for number in range(self.first, self.last + 1) if number % every == 0]

    def place(self, value: float) -> float:
        """Where a value stands: 0 at the beginning, 1 at the end."""
        return (value / self.step - self.first) / (self.last - self.first)


def round_scale(low: float, high: float, parts: int) -> Scale:
    """The axis from `low` to `high` in about as many parts, at least one.

    Args:
        low: Smallest value.
        high: Largest value; at least `low`.
        parts: How many steps are wanted.
    """
    span = high - low
    magnitude = max(abs(low), abs(high))
    if span <= max(magnitude * 1e-9, _TINY):  # all equal, or too close together for the digits of a float
        span = magnitude * 0.1 if magnitude > _TINY else 1.0
        low, high = low - span / 2, high + span / 2
    wanted = span / parts
    power = 10.0 ** math.floor(math.log10(wanted))
    step = min((factor * power for factor in _STEPS), key=lambda step: abs(math.log(step / wanted)))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Scale(first, max(last, first + 1), step)
