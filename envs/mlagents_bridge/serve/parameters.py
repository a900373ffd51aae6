"""Environment parameters as the trainer sets them: numbers, and samplers that are drawn anew for every episode."""

import logging
import math
from collections.abc import Callable
from typing import Final

import numpy as np

from mlagents_bridge.side_channels import Parameter, Sampler

_MOST: Final = 1000

_log = logging.getLogger("mlagents_bridge")


class Parameters:
    """The parameters that hold at present.

    Args:
        check: Says what is wrong with a parameter that makes sense in itself; an empty text if nothing is.
    """

    def __init__(self, check: Callable[[Parameter], str] = lambda _: "") -> None:
        self._check = check
        self._held: dict[str, Parameter] = {}
        self._random: dict[str, np.random.Generator] = {}
        self._said: set[str] = set()

    def take(self, parameter: Parameter) -> None:
        """Holds a parameter from now on; one that makes no sense is left out, and the log says so once.

        A sampler that is sent again unchanged goes on where it is, as the trainer repeats all of them with each lesson.
        """
        fault = _fault(parameter) or self._check(parameter)
        if not fault and parameter.name not in self._held and len(self._held) >= _MOST:
            fault = f"there are {_MOST} parameters already"
        if fault:
            self.say(f"The environment parameter {parameter.name[:80]!r} is left out: {fault}.")
        elif self._held.get(parameter.name) != parameter:
            self._held[parameter.name] = parameter
            self._random[parameter.name] = np.random.default_rng(parameter.seed % 2**32)

    def __bool__(self) -> bool:
        return bool(self._held)

    def say(self, sentence: str) -> None:
        """Warns in the log, once: the same would come again with every lesson or every episode."""
        if sentence not in self._said and len(self._said) < _MOST:
            self._said.add(sentence)
            _log.warning("%s", sentence)

    def draw(self) -> dict[str, float]:
        """The parameters' values for one episode."""
        return {name: _draw(held, self._random[name]) for name, held in self._held.items()}


def _fault(parameter: Parameter) -> str:
    """What is wrong with a parameter; empty if nothing is."""
    if not all(math.isfinite(value) for value in parameter.value):
        return "not all of its numbers are finite"
    if parameter.sampler is Sampler.GAUSSIAN and parameter.value[1] < 0:
        return f"its standard deviation is {parameter.value[1]:g}, below 0"
    if parameter.sampler in (Sampler.UNIFORM, Sampler.MULTIRANGE_UNIFORM):
        for low, high in _pairs(parameter):
            if low > high:
                return f"its lowest value {low:g} is above its highest, {high:g}"
    return ""


def _pairs(parameter: Parameter) -> list[tuple[float, float]]:
    return list(zip(parameter.value[::2], parameter.value[1::2], strict=True))


def _draw(parameter: Parameter, random: np.random.Generator) -> float:
    if parameter.sampler is None:
        return parameter.value[0]
    if parameter.sampler is Sampler.MULTIRANGE_UNIFORM:
        return _draw_from_ranges(parameter, random)
    first, second = parameter.value
    return random.uniform(first, second) if parameter.sampler is Sampler.UNIFORM else random.normal(first, second)


def _draw_from_ranges(parameter: Parameter, random: np.random.Generator) -> float:
    """Every point of every range is as likely as any other."""
    lows, highs = np.array(_pairs(parameter)).T
    lengths = highs - lows
    shares = lengths / lengths.sum() if lengths.sum() > 0 else np.full(len(lengths), 1 / len(lengths))
    chosen = random.choice(len(lengths), p=shares)
    return float(random.uniform(lows[chosen], highs[chosen]))
