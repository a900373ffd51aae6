"""What an agent sees, written into its row of observations.

A shelter hides what is behind it from every sensor. Walls and the frontier hide nothing: opponents and snowballs are
never behind a wall, and the frontier is a line in the snow. The hostile sensor sees standing opponents and targets; the
snowball sensor only snowballs that could hit the agent, so neither its own nor its teammates'.
"""

from typing import Final

import numpy as np

from snowball_fight.compiling import compiled
from snowball_fight.headings import DIRECTIONS
from snowball_fight.kernel.constants import Rules
from snowball_fight.kernel.motion import ONE, ZERO
from snowball_fight.kernel.rays import FRONTIER, HOSTILE, LEAST, SHELTER, SNOWBALL, WALL, Sight, cast_rays
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
)
from snowball_fight.state import Game

_HOSTILE_WIDTH: Final = len(HOSTILE_TAGS)
_SURROUNDINGS_WIDTH: Final = len(SURROUNDINGS_TAGS)
_SNOWBALL_WIDTH: Final = len(SNOWBALL_TAGS)
_BACKWARD_WIDTH: Final = len(BACKWARD_TAGS)
_TEAMMATE_WIDTH: Final = len(TEAMMATE_FLOATS)

_HALF = np.float32(0.5)


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
    cast_rays(game, rules, sight, agent)
    _write_rays(rules, sight)
    _write_own(game, rules, sight, agent)
    _write_teammates(game, rules, sight, agent)


@compiled
def _write_rays(rules: Rules, sight: Sight) -> None:
    """Writes every sensor's blocks from the nearest of each kind."""
    length = rules.ray_length
    for ray in range(N_FORWARD_RAYS):
        shelter = sight.nearest[SHELTER, ray]
        _write_sighting(sight, HOSTILES + _HOSTILE_WIDTH * ray, sight.nearest[HOSTILE, ray], shelter, length)
        _write_sighting(sight, SNOWBALLS + _SNOWBALL_WIDTH * ray, sight.nearest[SNOWBALL, ray], shelter, length)
        wall, frontier = sight.nearest[WALL, ray], sight.nearest[FRONTIER, ray]
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
        wall, shelter = sight.nearest[WALL, N_FORWARD_RAYS + ray], sight.nearest[SHELTER, N_FORWARD_RAYS + ray]
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
    scale = max(distance, LEAST)
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
