"""Snowballs: thrown, flying, stopped by walls and shelters. An agent has one at most."""

import numpy as np

from snowball_fight.compiling import compiled
from snowball_fight.headings import DIRECTIONS
from snowball_fight.kernel.constants import Rules
from snowball_fight.state import Game


@compiled
def throw(game: Game, rules: Rules, agent: int) -> None:
    """Puts the agent's snowball at the front of its body and starts the cool-down."""
    heading = game.heading[agent]
    for axis in range(2):
        game.ball_position[agent, axis] = game.position[agent, axis] + DIRECTIONS[heading, axis] * rules.agent_radius
    game.ball_heading[agent] = heading
    game.ball_ticks[agent] = rules.flight_ticks
    game.cooldown[agent] = rules.cooldown_ticks


@compiled
def fly(game: Game, rules: Rules, agent: int) -> None:
    """Moves the agent's snowball for a tick; it ends at a wall, at a shelter, or when its time is up."""
    stride = rules.snowball_speed * rules.tick_seconds
    heading = game.ball_heading[agent]
    x = game.ball_position[agent, 0] + DIRECTIONS[heading, 0] * stride
    y = game.ball_position[agent, 1] + DIRECTIONS[heading, 1] * stride
    game.ball_position[agent, 0] = x
    game.ball_position[agent, 1] = y
    game.ball_ticks[agent] -= 1
    side = rules.half_width - rules.snowball_radius
    back = rules.half_length - rules.snowball_radius
    if x > side or x < -side or y > back or y < -back:
        game.ball_ticks[agent] = 0
    for shelter in range(rules.n_shelters):
        reach = rules.shelters[shelter, 2] + rules.snowball_radius
        if squared_distance(x, y, rules.shelters[shelter, 0], rules.shelters[shelter, 1]) < reach * reach:
            game.ball_ticks[agent] = 0


@compiled
def squared_distance(x: np.float32, y: np.float32, other_x: np.float32, other_y: np.float32) -> np.float32:
    """Squared distance between two points, square metres."""
    return (x - other_x) * (x - other_x) + (y - other_y) * (y - other_y)
