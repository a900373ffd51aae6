"""How strong a player is on the scale of the fixed opponents."""

import math
from collections.abc import Mapping

SCALE = 400.0
"""Points for which the odds are ten to one (Elo 1978)."""

_REACH = 1600.0
"""How far above the best and below the worst opponent a rating can lie: beyond, a result says nothing."""


def expected_score(rating: float, opponent: float) -> float:
    """Share of points that a player of `rating` takes from one of `opponent`, draws counted half."""
    return 1.0 / (1.0 + math.pow(10.0, (opponent - rating) / SCALE))


def rating_of(scores: Mapping[str, float], games: int, opponents: Mapping[str, float]) -> float:
    """The rating at which the scores are the most likely ones.

    Each opponent counts as beaten and lost to in half a game more, so that who wins everything has a rating, too.

    Args:
        scores: Share of points against each opponent, 0 to 1.
        games: Games against each.
        opponents: Rating of each.

    Raises:
        ValueError: If there is no opponent, or one is unknown.
    """
    if not scores or not set(scores) <= set(opponents):
        raise ValueError(f"A rating needs scores against some of {', '.join(opponents)}; there are {list(scores)}.")
    points = sum((games * share + 0.5) / (games + 1) for share in scores.values())
    # The likelihood's derivative is the difference between points and expected points, which falls in the rating.
    low, high = min(opponents.values()) - _REACH, max(opponents.values()) + _REACH
    for _ in range(50):
        middle = (low + high) / 2
        if sum(expected_score(middle, opponents[name]) for name in scores) < points:
            low = middle
        else:
            high = middle
    return (low + high) / 2
