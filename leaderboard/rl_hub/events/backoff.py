"""When to try again what failed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Pauses that double, up to a longest one, each shortened by chance.

    The shortening keeps those who failed together from coming back together.

    Attributes:
        first_seconds: The pause after the first failure.
        longest_seconds: No pause is longer.
        attempts: After this many failures it is given up; None never does.
    """

    first_seconds: float
    longest_seconds: float
    attempts: int | None = None

    def pause(self, failures: int, chance: float) -> float | None:
        """Seconds until the next attempt.

        Args:
            failures: How often it has failed, at least 1.
            chance: A random number in [0, 1).

        Returns:
            Between half the pause and the whole of it; None if it is given up.
        """
        if self.attempts is not None and failures >= self.attempts:
            return None
        # A float holds the doublings up to here; any longest pause is reached long before.
        doubled = self.first_seconds * 2.0 ** min(failures - 1, 64)
        return min(doubled, self.longest_seconds) * (1 - chance / 2)


WEBHOOKS = Backoff(first_seconds=10, longest_seconds=3600, attempts=42)
"""10 s, 20 s, … up to an hour: 25 hours on average, 17 to 33 with all the luck, until a delivery is given up."""

SUBSCRIBERS = Backoff(first_seconds=0.5, longest_seconds=60)
"""A subscriber lives in this process; it is asked again until it succeeds."""
