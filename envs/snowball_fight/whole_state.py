"""The whole state as floats between -1 and 1, for critics that may see more than an agent does."""

import numpy as np
from numpy.typing import NDArray

from snowball_fight.headings import DIRECTIONS
from snowball_fight.spec import ArenaSpec
from snowball_fight.state import Floats, State

AGENT_FLOATS = (
    "x",
    "y",
    "facing_x",
    "facing_y",
    "speed_x",
    "speed_y",
    "health",
    "cooldown",
    "alive",
    "ball_x",
    "ball_y",
    "ball_course_x",
    "ball_course_y",
    "ball_time_left",
)
TARGET_FLOATS = ("x", "y", "course")


def n_floats(spec: ArenaSpec) -> int:
    """Length of an arena's whole state: the share of the time that is gone, then every agent, then every target."""
    return 1 + len(AGENT_FLOATS) * spec.n_agents + len(TARGET_FLOATS) * spec.n_targets


def whole_state(spec: ArenaSpec, state: State) -> Floats:
    """The whole state of every arena, in the world's frame.

    Args:
        spec: What was played.
        state: The arenas' state; not changed.

    Returns:
        float32 `[n_arenas, n_floats(spec)]`, a new array. Floats of a snowball that does not fly, and all of an agent
        that has fallen, are 0.
    """
    n_arenas = len(state.tick)
    extent = np.array([spec.half_width, spec.half_length], np.float32)
    flies = (state.ball_ticks > 0)[..., np.newaxis]
    agents = np.concatenate(
        [
            state.position / extent,
            DIRECTIONS[state.heading],
            state.velocity / np.float32(spec.agent_speed),
            _share(state.health, spec.hits_to_fall),
            _share(state.cooldown, spec.cooldown_ticks),
            state.alive[..., np.newaxis].astype(np.float32),
            np.where(flies, state.ball_position / extent, np.float32(0)),
            np.where(flies, DIRECTIONS[state.ball_heading], np.float32(0)),
            _share(state.ball_ticks, spec.flight_ticks),
        ],
        axis=-1,
    )
    agents *= state.alive[..., np.newaxis]
    targets = np.concatenate(
        [state.target_position / extent, state.target_course[..., np.newaxis].astype(np.float32)], axis=-1
    )
    parts = [_share(state.tick, spec.max_ticks), agents.reshape(n_arenas, -1), targets.reshape(n_arenas, -1)]
    # A ball at a wall, and rounding, may lie a hair outside.
    whole: Floats = np.clip(np.concatenate(parts, axis=1), -1, 1, dtype=np.float32)
    return whole


def _share(counts: NDArray[np.int32], most: int) -> Floats:
    """Counts as a share of the most that they can be, with one axis more at the end."""
    share: Floats = counts.astype(np.float32) / np.float32(most)
    return share[..., np.newaxis]
