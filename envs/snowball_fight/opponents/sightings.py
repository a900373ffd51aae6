"""What a scripted player sees: the nearest opponent or target, and snowballs that are about to hit it.

It sees what an agent's forward rays could: within 100 degrees, and not behind a shelter. Velocities are those that two
sights in a row would tell.
"""

from typing import Final

import numpy as np

from snowball_fight.compiling import compiled
from snowball_fight.headings import DIRECTIONS, N_HEADINGS
from snowball_fight.kernel.constants import Rules
from snowball_fight.kernel.motion import ONE, ZERO
from snowball_fight.layout import FORWARD_DEGREES
from snowball_fight.state import Game

_EDGE_COSINE, _EDGE_SINE = DIRECTIONS[round(FORWARD_DEGREES / 2 * N_HEADINGS / 360)]

_REACTION_TICKS: Final = 15
"""How long a snowball has to fly before a player notices it: 0.3 s, about what a person needs."""

Pair = tuple[np.float32, np.float32]
Sighting = tuple[bool, np.float32, np.float32, np.float32, np.float32]
"""Whether anything is seen; then its place and its velocity in the viewer's frame, forward and right each."""


@compiled
def in_own_frame(game: Game, agent: int, x: np.float32, y: np.float32) -> Pair:
    """A direction of the world as (forward, right) of an agent."""
    cosine = DIRECTIONS[game.heading[agent], 0]
    sine = DIRECTIONS[game.heading[agent], 1]
    return x * cosine + y * sine, x * sine - y * cosine


@compiled
def is_clear(game: Game, rules: Rules, agent: int, away_x: np.float32, away_y: np.float32, width: np.float32) -> bool:
    """Whether nothing stands within `width` metres of the straight way from the agent to a place this far away."""
    squared = away_x * away_x + away_y * away_y
    for shelter in range(rules.n_shelters):
        shelter_x = rules.shelters[shelter, 0] - game.position[agent, 0]
        shelter_y = rules.shelters[shelter, 1] - game.position[agent, 1]
        reach = rules.shelters[shelter, 2] + width
        along = shelter_x * away_x + shelter_y * away_y
        off = shelter_x * away_y - shelter_y * away_x
        if along > ZERO and along < squared and off * off < reach * reach * squared:
            return False
    return True


@compiled
def is_in_view(forward: np.float32, right: np.float32) -> bool:
    """Whether a place lies within the forward rays."""
    return bool(forward > ZERO and abs(right) * _EDGE_COSINE <= forward * _EDGE_SINE)


@compiled
def see_nearest(game: Game, rules: Rules, agent: int) -> Sighting:
    """The nearest opponent or target that the agent sees."""
    seen, place_forward, place_right, speed_forward, speed_right = False, ZERO, ZERO, ZERO, ZERO
    nearest = rules.ray_length * rules.ray_length
    first = rules.team_size if agent < rules.team_size else 0
    n_others = rules.team_size if rules.n_teams == 2 else 0
    for other in range(n_others + rules.n_targets):
        if other < n_others:
            if not game.alive[first + other]:
                continue
            x, y = game.position[first + other, 0], game.position[first + other, 1]
            speed_x, speed_y = game.velocity[first + other, 0], game.velocity[first + other, 1]
        else:
            target = other - n_others
            x, y = game.target_position[target, 0], game.target_position[target, 1]
            speed_x, speed_y = np.float32(game.target_course[target]) * rules.target_speed, ZERO
        away_x = x - game.position[agent, 0]
        away_y = y - game.position[agent, 1]
        squared = away_x * away_x + away_y * away_y
        forward, right = in_own_frame(game, agent, away_x, away_y)
        if squared < nearest and is_in_view(forward, right) and is_clear(game, rules, agent, away_x, away_y, ZERO):
            nearest = squared
            seen, place_forward, place_right = True, forward, right
            speed_forward, speed_right = in_own_frame(game, agent, speed_x, speed_y)
    return seen, place_forward, place_right, speed_forward, speed_right


@compiled
def see_danger(game: Game, rules: Rules, agent: int, margin: np.float32) -> tuple[bool, np.float32, np.float32]:
    """The first snowball in view that will pass within `margin` metres of the agent's edge.

    Returns:
        Whether there is one, and the way out of its path (forward, right), not of unit length.
    """
    reach = rules.agent_radius + rules.snowball_radius + margin
    first = rules.team_size if agent < rules.team_size else 0
    n_others = rules.team_size if rules.n_teams == 2 else 0
    for other in range(first, first + n_others):
        if game.ball_ticks[other] == 0 or game.ball_ticks[other] > rules.flight_ticks - _REACTION_TICKS:
            continue
        away_x = game.ball_position[other, 0] - game.position[agent, 0]
        away_y = game.ball_position[other, 1] - game.position[agent, 1]
        forward, right = in_own_frame(game, agent, away_x, away_y)
        if not is_in_view(forward, right) or not is_clear(game, rules, agent, away_x, away_y, ZERO):
            continue
        course_x = DIRECTIONS[game.ball_heading[other], 0]
        course_y = DIRECTIONS[game.ball_heading[other], 1]
        approach = -(away_x * course_x + away_y * course_y)
        off_x = -away_x - course_x * approach
        off_y = -away_y - course_y * approach
        if approach > ZERO and off_x * off_x + off_y * off_y < reach * reach:
            out_forward, out_right = in_own_frame(game, agent, off_x, off_y)
            return True, out_forward, out_right
    return False, ZERO, ONE
