"""How often a second something can be done, several things in turns."""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping

ROUNDS = 7


def rates_in_turns(
    calls: Mapping[str, Callable[[int], object]], *, seconds: float, prelude: int = 0
) -> dict[str, list[float]]:
    """Calls a second of each, once in every round, so that a machine that slows down slows all of them.

    Args:
        calls: What to call, by name; it is given the number of the call.
        seconds: How long each is called in a round.
        prelude: Calls before anything is timed: what is compiled or loaded at first use is then there.
    """
    for call in calls.values():
        for number in range(prelude):
            call(number)
    rates: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            rates[name].append(_rate(call, seconds))
    return rates


def _rate(call: Callable[[int], object], seconds: float) -> float:
    number, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        call(number)
        number += 1
    return number / elapsed


def median_ratio(first: Iterable[float], second: Iterable[float]) -> float:
    """Median over the rounds of how much faster the first is than the second."""
    return statistics.median(one / other for one, other in zip(first, second, strict=True))
