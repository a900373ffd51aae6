"""Secret seeds of evaluations: nobody can train for them, and everybody can check afterwards that they were fixed.

A server has one secret. Of it each season has its own key, of which the server publishes the commitment when the
season begins and the key itself when it has ended: whoever has kept the commitment then derives the seeds of every
evaluation again, and learns nothing of the secret or of another season.
"""

import hashlib
import hmac

LEAST_SECRET_BYTES = 32
"""As many as SHA-256 has: a shorter secret would be the weakest part."""

MOST_SEEDS = 100_000
"""Of a batch; no protocol comes near it."""

_SEED_BITS = 31  # every environment takes them: some keep a seed as a signed 32-bit number
_SEED_BYTES = 4
_SEASON = b"rl-classroom season key 1"
_SEEDS = b"rl-classroom seeds 1"
_COMMITMENT = b"rl-classroom season commitment 1"


def season_key(secret: bytes, season: str) -> bytes:
    """The key of a season, 32 bytes: secret while the season lasts, published when it has ended.

    Args:
        secret: The server's secret, `LEAST_SECRET_BYTES` or more.
        season: Its name.

    Raises:
        ValueError: If the secret is too short or the season has no name.
    """
    if len(secret) < LEAST_SECRET_BYTES:
        raise ValueError(
            f"The judge's secret has {len(secret)} bytes: give it {LEAST_SECRET_BYTES} random ones or more."
        )
    if not season:
        raise ValueError("A season needs a name.")
    return hmac.digest(secret, _message(_SEASON, season), "sha256")


def commitment(key: bytes) -> str:
    """What is published of a season's key when the season begins: it fixes the key and tells nothing of it.

    Args:
        key: See `season_key`.

    Returns:
        64 hexadecimal digits.
    """
    return hashlib.sha256(_message(_COMMITMENT) + key).hexdigest()


def derive_seeds(secret: bytes, protocol_id: str, version: int, season: str, batch: str, count: int) -> tuple[int, ...]:
    """The seeds of a batch: the same for every agent that plays it.

    So agents are compared by the same games, and whoever changes the last digit of a weight, to have an agent taken
    for another one, gets no other games either.

    Args:
        secret: The server's secret, see `season_key`.
        protocol_id: See `rl_units.course.Protocol.id`.
        version: See `rl_units.course.Protocol.version`.
        season: Name of the season.
        batch: Name of the batch, see `rl_leaderboard.rules.batches`.
        count: Episodes. A longer batch begins with the seeds of a shorter one.

    Returns:
        Different numbers from 0 to 2**31 - 1, in the order of the episodes.

    Raises:
        ValueError: If the secret is too short, a name is empty, or a number is out of its range.
    """
    return seeds_of_season(season_key(secret, season), protocol_id, version, batch, count)


def seeds_of_season(key: bytes, protocol_id: str, version: int, batch: str, count: int) -> tuple[int, ...]:
    """As `derive_seeds`, from a season's key: what anybody can do once it has been published.

    Raises:
        ValueError: If a name is empty, or a number is out of its range.
    """
    if not protocol_id or not batch:
        raise ValueError("A protocol and a batch need names.")
    if version < 1 or not 1 <= count <= MOST_SEEDS:
        raise ValueError(f"A protocol's version is 1 or more, and a batch has 1 to {MOST_SEEDS} seeds.")
    # A dictionary keeps the order in which seeds are first drawn, and each once.
    found: dict[int, None] = {}
    block = 0
    while len(found) < count:
        drawn = hmac.digest(key, _message(_SEEDS, protocol_id, str(version), batch, str(block)), "sha256")
        for start in range(0, len(drawn), _SEED_BYTES):
            number = int.from_bytes(drawn[start : start + _SEED_BYTES], "big")
            found.setdefault(number >> (8 * _SEED_BYTES - _SEED_BITS))
        block += 1
    return tuple(found)[:count]


def _message(purpose: bytes, *parts: str) -> bytes:
    """Parts with their lengths before them, so that no two lists of parts make the same message."""
    encoded = [purpose, *(part.encode() for part in parts)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
