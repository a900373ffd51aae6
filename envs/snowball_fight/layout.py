"""What each float of an observation is.

The rays follow Unity's ray sensors: a block a ray, one float for each kind of thing that the sensor knows (1 for the
kind that was hit first), one for "nothing hit", and the distance to the hit as a fraction of the ray's length (1 when
nothing was hit). Rays run from the leftmost to the rightmost.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from snowball_fight.spec import ArenaSpec

N_FORWARD_RAYS: Final = 10
N_BACKWARD_RAYS: Final = 3
FORWARD_DEGREES: Final = 100.0
BACKWARD_DEGREES: Final = 45.0

HOSTILE_TAGS: Final = ("opponent", "miss", "fraction")
SURROUNDINGS_TAGS: Final = ("wall", "shelter", "frontier", "miss", "fraction")
SNOWBALL_TAGS: Final = ("snowball", "miss", "fraction")
BACKWARD_TAGS: Final = ("wall", "shelter", "miss", "fraction")
OWN_FLOATS: Final = (
    "can_shoot",
    "health",
    "forward_speed",
    "right_speed",
    "home_right",
    "home_forward",
    "home_distance",
)
TEAMMATE_FLOATS: Final = ("right", "forward", "facing_right", "facing_forward", "health", "can_shoot", "alive")

HOSTILES: Final = 0
SURROUNDINGS: Final = HOSTILES + N_FORWARD_RAYS * len(HOSTILE_TAGS)
SNOWBALLS: Final = SURROUNDINGS + N_FORWARD_RAYS * len(SURROUNDINGS_TAGS)
BACKWARD: Final = SNOWBALLS + N_FORWARD_RAYS * len(SNOWBALL_TAGS)
OWN: Final = BACKWARD + N_BACKWARD_RAYS * len(BACKWARD_TAGS)
TEAMMATES: Final = OWN + len(OWN_FLOATS)

SLICES: Final = {
    "opponents": slice(HOSTILES, SURROUNDINGS),
    "surroundings": slice(SURROUNDINGS, SNOWBALLS),
    "snowballs": slice(SNOWBALLS, BACKWARD),
    "backward": slice(BACKWARD, OWN),
    "own": slice(OWN, TEAMMATES),
}


def _fan(n_rays: int, degrees: float, middle: float) -> list[float]:
    """Angles to the left of straight ahead, leftmost first, degrees."""
    return [middle + degrees / 2 - degrees * ray / (n_rays - 1) for ray in range(n_rays)]


FORWARD_ANGLES: Final = tuple(_fan(N_FORWARD_RAYS, FORWARD_DEGREES, 0.0))
BACKWARD_ANGLES: Final = tuple(_fan(N_BACKWARD_RAYS, BACKWARD_DEGREES, 180.0))
"""Degrees to the left of an agent's heading, a ray each."""


def n_floats(spec: ArenaSpec) -> int:
    """Length of an agent's observation: 129, and seven more for each teammate."""
    return TEAMMATES + len(TEAMMATE_FLOATS) * (spec.team_size - 1)


def teammate_slice(teammate: int) -> slice:
    """Where the floats of the `teammate`-th other member of the team stand, 0 for the first."""
    width = len(TEAMMATE_FLOATS)
    return slice(TEAMMATES + width * teammate, TEAMMATES + width * (teammate + 1))


def names(spec: ArenaSpec) -> tuple[str, ...]:
    """A name for every float, in order: `"opponents.ray3.fraction"`, `"own.health"`, `"teammate0.right"`."""
    sensors = (
        ("opponents", N_FORWARD_RAYS, HOSTILE_TAGS),
        ("surroundings", N_FORWARD_RAYS, SURROUNDINGS_TAGS),
        ("snowballs", N_FORWARD_RAYS, SNOWBALL_TAGS),
        ("backward", N_BACKWARD_RAYS, BACKWARD_TAGS),
    )
    rays = [f"{sensor}.ray{ray}.{tag}" for sensor, n_rays, tags in sensors for ray in range(n_rays) for tag in tags]
    own = [f"own.{name}" for name in OWN_FLOATS]
    mates = [f"teammate{mate}.{name}" for mate in range(spec.team_size - 1) for name in TEAMMATE_FLOATS]
    return (*rays, *own, *mates)


def bounds(spec: ArenaSpec) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The lowest and highest value of every float, float32: 0 to 1, and -1 to 1 for speeds and directions."""
    low = np.zeros(n_floats(spec), np.float32)
    low[OWN + OWN_FLOATS.index("forward_speed") : OWN + OWN_FLOATS.index("home_distance")] = -1
    for mate in range(spec.team_size - 1):
        start = teammate_slice(mate).start
        low[start : start + TEAMMATE_FLOATS.index("health")] = -1
    return low, np.ones(n_floats(spec), np.float32)


def ray_directions() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Forward and right parts of every ray's direction in the agent's own frame, float32 `[16]` each.

    Lanes 0 to 9 look forward, 10 to 12 backward; three more repeat the last, so that a loop over rays fills whole
    vector registers. Left and right rays are exact mirror images of each other.
    """
    angles = [*FORWARD_ANGLES, *BACKWARD_ANGLES]
    angles += [angles[-1]] * (-len(angles) % 8)
    # Nine decimals are far beyond float32, and the same whatever the platform's mathematical library.
    forward = [round(math.cos(math.radians(angle)), 9) for angle in angles]
    right = [-round(math.sin(math.radians(angle)), 9) + 0.0 for angle in angles]
    return np.array(forward, np.float32), np.array(right, np.float32)
