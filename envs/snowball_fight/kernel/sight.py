"""What an agent sees, written into its row of observations.

Rays are thirteen fixed directions in the agent's own frame, so objects are turned into that frame instead. Each thing
is taken against all rays in one short loop, of which the compiler makes vector instructions.

A shelter hides what is behind it from every sensor. Walls and the frontier hide nothing: opponents and snowballs are
never behind a wall, and the frontier is a line in the snow. The hostile sensor sees standing opponents and targets; the
snowball sensor only snowballs that could hit the agent, so neither its own nor its teammates'.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from snowball_fight.compiling import compiled
from snowball_fight.headings import DIRECTIONS
from snowball_fight.kernel.constants import Rules
from snowball_fight.kernel.motion import ONE, ZERO
from snowball_fight.layout import (
    BACKWARD,
    BACKWARD_TAGS,
    HOSTILE_TAGS,
    HOSTILES,
    N_BACKWARD_RAYS,
    N_FORWARD_RAYS,
    OWN,
    SNOWBALL_TAGS,
    SNOWBALLS,
    SURROUNDINGS,
    SURROUNDINGS_TAGS,
    TEAMMATE_FLOATS,
    TEAMMATES,
    n_floats,
    ray_directions,
)
from snowball_fight.spec import ArenaSpec
from snowball_fight.state import Game, record_type

RAY_FORWARD, RAY_RIGHT = ray_directions()
N_LANES: Final = len(RAY_FORWARD)

_HOSTILE_WIDTH: Final = len(HOSTILE_TAGS)
_SURROUNDINGS_WIDTH: Final = len(SURROUNDINGS_TAGS)
_SNOWBALL_WIDTH: Final = len(SNOWBALL_TAGS)
_BACKWARD_WIDTH: Final = len(BACKWARD_TAGS)
_TEAMMATE_WIDTH: Final = len(TEAMMATE_FLOATS)

_WALL: Final = 0
_SHELTER: Final = 1
_FRONTIER: Final = 2
_HOSTILE: Final = 3
_SNOWBALL: Final = 4
N_KINDS: Final = 5

_HALF = np.float32(0.5)
_LEAST = np.float32(1e-9)
"""Stands for 0 in a divisor; such a ray runs along the wall and meets it beyond any length."""


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
def observe(game: Game, rules: Rules, sight: Sight, agent: int) -> None:
    """Writes an agent's observation; all zeros when it has fallen.

    Args:
        game: The arena.
        rules: Its constants.
        sight: Where the observation is written, `sight.row`.
        agent: Which agent.
    """
    if not game.alive[agent]:
        for place in range(len(sight.row)):
            sight.row[place] = ZERO
        return
    for kind in range(N_KINDS):
        for lane in range(N_LANES):
            sight.nearest[kind, lane] = rules.ray_length
    _look_at_lines(game, rules, sight, agent)
    for shelter in range(rules.n_shelters):
        x, y, radius = rules.shelters[shelter, 0], rules.shelters[shelter, 1], rules.shelters[shelter, 2]
        _look_at_disc(game, rules, sight, _SHELTER, agent, x, y, radius)
    _look_at_hostiles(game, rules, sight, agent)
    _write_rays(rules, sight)
    _write_own(game, rules, sight, agent)
    _write_teammates(game, rules, sight, agent)


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
        across = (to_right if along_x > ZERO else to_left) / max(abs(along_x), _LEAST)
        along = (to_top if along_y > ZERO else to_bottom) / max(abs(along_y), _LEAST)
        sight.nearest[_WALL, lane] = min(min(across, along), length)
        reach = abs(y) / max(abs(along_y), _LEAST)
        leaves_home = (along_y > ZERO) != (y > ZERO)
        sight.nearest[_FRONTIER, lane] = min(reach, length) if leaves_home else length


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
            _look_at_disc(game, rules, sight, _HOSTILE, agent, x, y, radius)
        if game.ball_ticks[other] > 0:
            x, y = game.ball_position[other, 0], game.ball_position[other, 1]
            radius = rules.snowball_radius + rules.ray_radius
            _look_at_disc(game, rules, sight, _SNOWBALL, agent, x, y, radius)
    for target in range(rules.n_targets):
        x, y = game.target_position[target, 0], game.target_position[target, 1]
        radius = rules.target_radius + rules.ray_radius
        _look_at_disc(game, rules, sight, _HOSTILE, agent, x, y, radius)


@compiled
def _write_rays(rules: Rules, sight: Sight) -> None:
    """Writes every sensor's blocks from the nearest of each kind."""
    length = rules.ray_length
    for ray in range(N_FORWARD_RAYS):
        shelter = sight.nearest[_SHELTER, ray]
        _write_sighting(sight, HOSTILES + _HOSTILE_WIDTH * ray, sight.nearest[_HOSTILE, ray], shelter, length)
        _write_sighting(sight, SNOWBALLS + _SNOWBALL_WIDTH * ray, sight.nearest[_SNOWBALL, ray], shelter, length)
        wall, frontier = sight.nearest[_WALL, ray], sight.nearest[_FRONTIER, ray]
        first = min(min(wall, shelter), frontier)
        start = SURROUNDINGS + _SURROUNDINGS_WIDTH * ray
        sees = first < length
        sees_shelter = sees & (shelter == first)
        sees_frontier = sees & (not sees_shelter) & (frontier == first)
        sight.row[start] = ONE if sees & (not sees_shelter) & (not sees_frontier) else ZERO
        sight.row[start + 1] = ONE if sees_shelter else ZERO
        sight.row[start + 2] = ONE if sees_frontier else ZERO
        sight.row[start + 3] = ZERO if sees else ONE
        sight.row[start + 4] = first / length
    for ray in range(N_BACKWARD_RAYS):
        wall, shelter = sight.nearest[_WALL, N_FORWARD_RAYS + ray], sight.nearest[_SHELTER, N_FORWARD_RAYS + ray]
        first = min(wall, shelter)
        start = BACKWARD + _BACKWARD_WIDTH * ray
        sees = first < length
        sees_shelter = sees & (shelter == first)
        sight.row[start] = ONE if sees & (not sees_shelter) else ZERO
        sight.row[start + 1] = ONE if sees_shelter else ZERO
        sight.row[start + 2] = ZERO if sees else ONE
        sight.row[start + 3] = first / length


@compiled
def _write_sighting(sight: Sight, start: int, distance: np.float32, shelter: np.float32, length: np.float32) -> None:
    """Writes a block of hit, miss and fraction; what lies behind a shelter is a miss."""
    sees = (distance < shelter) & (distance < length)
    sight.row[start] = ONE if sees else ZERO
    sight.row[start + 1] = ZERO if sees else ONE
    sight.row[start + 2] = distance / length if sees else ONE


@compiled
def _write_own(game: Game, rules: Rules, sight: Sight, agent: int) -> None:
    """Writes what an agent knows of itself."""
    cosine = DIRECTIONS[game.heading[agent], 0]
    sine = DIRECTIONS[game.heading[agent], 1]
    velocity_x, velocity_y = game.velocity[agent, 0], game.velocity[agent, 1]
    sight.row[OWN] = ONE if game.cooldown[agent] == 0 else ZERO
    sight.row[OWN + 1] = np.float32(game.health[agent]) / np.float32(rules.hits_to_fall)
    sight.row[OWN + 2] = _held((velocity_x * cosine + velocity_y * sine) / rules.agent_speed)
    sight.row[OWN + 3] = _held((velocity_x * sine - velocity_y * cosine) / rules.agent_speed)
    # Home is the middle of the agent's half.
    depth = rules.half_length * _HALF
    away_x = -game.position[agent, 0]
    away_y = (-depth if agent < rules.team_size else depth) - game.position[agent, 1]
    distance = np.sqrt(away_x * away_x + away_y * away_y)
    scale = max(distance, _LEAST)
    sight.row[OWN + 4] = _held((away_x * sine - away_y * cosine) / scale)
    sight.row[OWN + 5] = _held((away_x * cosine + away_y * sine) / scale)
    sight.row[OWN + 6] = min(distance / (rules.half_width + depth), ONE)


@compiled
def _write_teammates(game: Game, rules: Rules, sight: Sight, agent: int) -> None:
    """Writes where each teammate is and how it fares; all zeros for one that has fallen."""
    cosine = DIRECTIONS[game.heading[agent], 0]
    sine = DIRECTIONS[game.heading[agent], 1]
    span = rules.half_width + rules.half_width + rules.half_length
    first = 0 if agent < rules.team_size else rules.team_size
    start = TEAMMATES
    for mate in range(first, first + rules.team_size):
        if mate == agent:
            continue
        if game.alive[mate]:
            away_x = game.position[mate, 0] - game.position[agent, 0]
            away_y = game.position[mate, 1] - game.position[agent, 1]
            faces_x = DIRECTIONS[game.heading[mate], 0]
            faces_y = DIRECTIONS[game.heading[mate], 1]
            sight.row[start] = _held((away_x * sine - away_y * cosine) / span)
            sight.row[start + 1] = _held((away_x * cosine + away_y * sine) / span)
            sight.row[start + 2] = _held(faces_x * sine - faces_y * cosine)
            sight.row[start + 3] = _held(faces_x * cosine + faces_y * sine)
            sight.row[start + 4] = np.float32(game.health[mate]) / np.float32(rules.hits_to_fall)
            sight.row[start + 5] = ONE if game.cooldown[mate] == 0 else ZERO
            sight.row[start + 6] = ONE
        else:
            for place in range(_TEAMMATE_WIDTH):
                sight.row[start + place] = ZERO
        start += _TEAMMATE_WIDTH


@compiled
def _held(value: np.float32) -> np.float32:
    """A value between -1 and 1; rounding may have carried it over by a hair."""
    return min(max(value, -ONE), ONE)
