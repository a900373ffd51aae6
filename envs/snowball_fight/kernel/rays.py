"""What the thirteen rays of an agent meet: how far away the nearest thing of each kind is.

Rays are fixed directions in the agent's own frame, so objects are turned into that frame instead. Each thing is taken
against all rays in one short loop, of which the compiler makes vector instructions.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from snowball_fight.compiling import compiled
from snowball_fight.headings import DIRECTIONS
from snowball_fight.kernel.constants import Rules
from snowball_fight.kernel.motion import ZERO
from snowball_fight.layout import n_floats, ray_directions
from snowball_fight.spec import ArenaSpec
from snowball_fight.state import Game, record_type

RAY_FORWARD, RAY_RIGHT = ray_directions()
N_LANES: Final = len(RAY_FORWARD)

WALL: Final = 0
SHELTER: Final = 1
FRONTIER: Final = 2
HOSTILE: Final = 3
SNOWBALL: Final = 4
N_KINDS: Final = 5

LEAST = np.float32(1e-9)
"""Stands for 0 in a divisor; a ray along a wall meets it beyond any length."""

Sight = Any
"""A record to work in: `nearest`, how far each kind of thing is on each ray, and `row`, the observation."""


def empty_sights(spec: ArenaSpec, n_threads: int) -> NDArray[np.void]:
    """A record to work in for each thread."""
    fields = [
        ("nearest", np.float32, (N_KINDS, N_LANES)),
        ("row", np.float32, (n_floats(spec),)),
        # Two cores that write to one line of the cache wait for each other.
        ("gap", np.uint8, (128,)),
    ]
    return np.zeros(n_threads, record_type(fields))


@compiled
def cast_rays(game: Game, rules: Rules, sight: Sight, agent: int) -> None:
    """Fills `sight.nearest`: metres to the nearest thing of each kind on each ray, at most the ray's length."""
    for kind in range(N_KINDS):
        for lane in range(N_LANES):
            sight.nearest[kind, lane] = rules.ray_length
    _look_at_lines(game, rules, sight, agent)
    for shelter in range(rules.n_shelters):
        x, y, radius = rules.shelters[shelter, 0], rules.shelters[shelter, 1], rules.shelters[shelter, 2]
        _look_at_disc(game, rules, sight, SHELTER, agent, x, y, radius)
    _look_at_hostiles(game, rules, sight, agent)


@compiled
def _look_at_lines(game: Game, rules: Rules, sight: Sight, agent: int) -> None:
    """Takes walls and the frontier into `nearest`."""
    x = game.position[agent, 0]
    y = game.position[agent, 1]
    cosine = DIRECTIONS[game.heading[agent], 0]
    sine = DIRECTIONS[game.heading[agent], 1]
    to_right, to_left = rules.half_width - x, rules.half_width + x
    to_top, to_bottom = rules.half_length - y, rules.half_length + y
    length = rules.ray_length
    for lane in range(N_LANES):
        along_x = RAY_FORWARD[lane] * cosine + RAY_RIGHT[lane] * sine
        along_y = RAY_FORWARD[lane] * sine - RAY_RIGHT[lane] * cosine
        across = (to_right if along_x > ZERO else to_left) / max(abs(along_x), LEAST)
        along = (to_top if along_y > ZERO else to_bottom) / max(abs(along_y), LEAST)
        sight.nearest[WALL, lane] = min(min(across, along), length)
        reach = abs(y) / max(abs(along_y), LEAST)
        leaves_home = (along_y > ZERO) != (y > ZERO)
        sight.nearest[FRONTIER, lane] = min(reach, length) if leaves_home else length


@compiled
def _look_at_disc(
    game: Game,
    rules: Rules,
    sight: Sight,
    kind: int,
    agent: int,
    x: np.float32,
    y: np.float32,
    radius: np.float32,
) -> None:
    """Takes a disc of a kind into `nearest`."""
    away_x = x - game.position[agent, 0]
    away_y = y - game.position[agent, 1]
    squared_radius = radius * radius
    reach = rules.ray_length + radius
    if away_x * away_x + away_y * away_y > reach * reach:
        return
    cosine = DIRECTIONS[game.heading[agent], 0]
    sine = DIRECTIONS[game.heading[agent], 1]
    forward = away_x * cosine + away_y * sine
    right = away_x * sine - away_y * cosine
    for lane in range(N_LANES):
        along = forward * RAY_FORWARD[lane] + right * RAY_RIGHT[lane]
        off = forward * RAY_RIGHT[lane] - right * RAY_FORWARD[lane]
        inside = squared_radius - off * off
        distance = max(along - np.sqrt(max(inside, ZERO)), ZERO)
        known = sight.nearest[kind, lane]
        sight.nearest[kind, lane] = distance if (inside > ZERO) & (along > ZERO) & (distance < known) else known


@compiled
def _look_at_hostiles(game: Game, rules: Rules, sight: Sight, agent: int) -> None:
    """Takes opponents, their snowballs and targets into `nearest`."""
    first = rules.team_size if agent < rules.team_size else 0
    for other in range(first, min(first + rules.team_size, rules.n_agents)):
        if game.alive[other]:
            x, y = game.position[other, 0], game.position[other, 1]
            radius = rules.agent_radius + rules.ray_radius
            _look_at_disc(game, rules, sight, HOSTILE, agent, x, y, radius)
        if game.ball_ticks[other] > 0:
            x, y = game.ball_position[other, 0], game.ball_position[other, 1]
            radius = rules.snowball_radius + rules.ray_radius
            _look_at_disc(game, rules, sight, SNOWBALL, agent, x, y, radius)
    for target in range(rules.n_targets):
        x, y = game.target_position[target, 0], game.target_position[target, 1]
        radius = rules.target_radius + rules.ray_radius
        _look_at_disc(game, rules, sight, HOSTILE, agent, x, y, radius)
