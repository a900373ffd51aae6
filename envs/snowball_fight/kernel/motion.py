"""How agents move: turning, speeding up, and what stops them."""

from typing import Final

import numpy as np

from snowball_fight.compiling import compiled
from snowball_fight.headings import DIRECTIONS, N_HEADINGS
from snowball_fight.kernel.constants import Rules
from snowball_fight.state import Game

MOVE: Final = 0
STRAFE: Final = 1
TURN: Final = 2
THROW: Final = 3
"""Branches of an action. 0 does nothing; 1 is forward, right, clockwise, throw; 2 is back, left, counter-clockwise."""

ZERO = np.float32(0)
ONE = np.float32(1)
_DIAGONAL = np.float32(0.70710677)
"""Keeps a diagonal as fast as a straight way: 1 / sqrt(2)."""


@compiled
def turn(game: Game, rules: Rules, agent: int, choice: int) -> None:
    """Turns an agent for a tick."""
    if choice == 0:
        return
    heading = game.heading[agent] + (rules.turn_per_tick if choice == 2 else -rules.turn_per_tick)
    if heading < 0:
        heading += N_HEADINGS
    elif heading >= N_HEADINGS:
        heading -= N_HEADINGS
    game.heading[agent] = heading


@compiled
def signed(choice: int) -> np.float32:
    """A branch's choice as a direction: 0, 1 and 2 become 0, +1 and -1."""
    if choice == 1:
        return ONE
    if choice == 2:
        return -ONE
    return ZERO


@compiled
def speed_up(game: Game, rules: Rules, agent: int, move: int, strafe: int) -> None:
    """Brings an agent's velocity nearer to the wanted one: a tick makes up a fixed share of the difference."""
    cosine = DIRECTIONS[game.heading[agent], 0]
    sine = DIRECTIONS[game.heading[agent], 1]
    forward = signed(move)
    right = signed(strafe)
    speed = rules.agent_speed
    if move != 0 and strafe != 0:
        speed = speed * _DIAGONAL
    wanted_x = (forward * cosine + right * sine) * speed
    wanted_y = (forward * sine - right * cosine) * speed
    velocity_x = game.velocity[agent, 0]
    velocity_y = game.velocity[agent, 1]
    game.velocity[agent, 0] = velocity_x + (wanted_x - velocity_x) * rules.grip
    game.velocity[agent, 1] = velocity_y + (wanted_y - velocity_y) * rules.grip


@compiled
def advance(game: Game, rules: Rules, agent: int) -> None:
    """Moves an agent for a tick; shelters push it out, walls and the frontier stop it."""
    x = game.position[agent, 0] + game.velocity[agent, 0] * rules.tick_seconds
    y = game.position[agent, 1] + game.velocity[agent, 1] * rules.tick_seconds
    game.position[agent, 0] = x
    game.position[agent, 1] = y
    push_out_of_shelters(game, rules, agent)
    hold_in_home(game, rules, agent)


@compiled
def push_out_of_shelters(game: Game, rules: Rules, agent: int) -> None:
    """Moves an agent to the edge of a shelter that it overlaps; shelters stand so far apart that it overlaps one."""
    for shelter in range(rules.n_shelters):
        _push_out(game, rules, agent, shelter)


@compiled
def _push_out(game: Game, rules: Rules, agent: int, shelter: int) -> None:
    """Moves an agent that overlaps a shelter to its edge, and takes away the speed into it."""
    away_x = game.position[agent, 0] - rules.shelters[shelter, 0]
    away_y = game.position[agent, 1] - rules.shelters[shelter, 1]
    reach = rules.shelters[shelter, 2] + rules.agent_radius
    squared = away_x * away_x + away_y * away_y
    if squared >= reach * reach:
        return
    distance = np.sqrt(squared)
    if distance > ZERO:
        away_x = away_x / distance
        away_y = away_y / distance
    else:
        # Exactly in the middle, which only a start can be: towards the own back wall.
        away_x = ZERO
        away_y = -ONE if agent < rules.team_size else ONE
    game.position[agent, 0] = rules.shelters[shelter, 0] + away_x * reach
    game.position[agent, 1] = rules.shelters[shelter, 1] + away_y * reach
    inward = game.velocity[agent, 0] * away_x + game.velocity[agent, 1] * away_y
    if inward < ZERO:
        game.velocity[agent, 0] -= inward * away_x
        game.velocity[agent, 1] -= inward * away_y


@compiled
def hold_in_home(game: Game, rules: Rules, agent: int) -> None:
    """Keeps an agent between the walls and the frontier, and stops the speed into them."""
    x = game.position[agent, 0]
    y = game.position[agent, 1]
    side = rules.half_width - rules.agent_radius
    if x > side or x < -side:
        game.position[agent, 0] = side if x > side else -side
        game.velocity[agent, 0] = ZERO
    back = rules.half_length - rules.agent_radius
    front = rules.agent_radius
    depth = -y if agent < rules.team_size else y
    if depth > back or depth < front:
        depth = back if depth > back else front
        game.position[agent, 1] = -depth if agent < rules.team_size else depth
        game.velocity[agent, 1] = ZERO
