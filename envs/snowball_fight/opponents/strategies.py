"""How each scripted player chooses its action from what it sees."""

from typing import Final

import numpy as np

from snowball_fight.compiling import compiled
from snowball_fight.headings import DIRECTIONS
from snowball_fight.kernel.constants import Rules
from snowball_fight.kernel.motion import ZERO
from snowball_fight.opponents.sightings import in_own_frame, is_clear, see_danger, see_nearest
from snowball_fight.random_stream import PLAYER, below, draw
from snowball_fight.state import Game

Action = tuple[int, int, int, int]

STILL: Final = 0
RANDOM: Final = 1
DODGER: Final = 2
AIM_AND_SHOOT: Final = 3
LEADER: Final = 4
"""The numbers of `Player`; numba compares plain integers faster than members of an enumeration."""

_SWAY_TICKS: Final = 40
"""How long a player strafes one way before it draws again which way: 0.8 s."""
_NEXT_NEED: Final = 128
"""Random numbers for a second need of the same agent."""
_MARGIN = np.float32(0.3)


@compiled
def choose(game: Game, rules: Rules, agent: int, player: int) -> Action:
    """The action of a player in an agent's place: forward or back, right or left, turn, throw."""
    if player == RANDOM:
        return _random(game, agent)
    if player == DODGER:
        return _dodger(game, rules, agent)
    if player == AIM_AND_SHOOT:
        return _aim_and_shoot(game, rules, agent)
    if player == LEADER:
        return _leader(game, rules, agent)
    return 0, 0, 0, 0


@compiled
def _random(game: Game, agent: int) -> Action:
    """Every branch uniformly."""
    move, strafe, turn, throw = draw(game.seed, game.episode, game.tick, PLAYER, agent)
    return below(move, 3), below(strafe, 3), below(turn, 3), below(throw, 2)


@compiled
def _sway(game: Game, agent: int) -> int:
    """Right or left, drawn anew every now and then."""
    side, _, _, _ = draw(game.seed, game.episode, game.tick // _SWAY_TICKS, PLAYER, agent + _NEXT_NEED)
    return 1 + below(side, 2)


@compiled
def _waits(game: Game, agent: int) -> bool:
    """Whether a player that could throw lets the moment pass: players of the same kind would mirror each other else."""
    word, _, _, _ = draw(game.seed, game.episode, game.tick, PLAYER, agent)
    return below(word, 2) == 0


@compiled
def turn_towards(rules: Rules, forward: np.float32, right: np.float32) -> int:
    """The choice that brings a place ahead, 0 when a decision's turn would overshoot."""
    half = (rules.turn_per_tick * rules.ticks_per_decision + 1) // 2
    if forward > ZERO and abs(right) * DIRECTIONS[half, 0] <= forward * DIRECTIONS[half, 1]:
        return 0
    return 1 if right > ZERO else 2


@compiled
def _face_other_home(game: Game, rules: Rules, agent: int) -> int:
    """The choice that turns the agent to the middle of the other home."""
    depth = rules.half_length / np.float32(2)
    away_x = -game.position[agent, 0]
    away_y = (depth if agent < rules.team_size else -depth) - game.position[agent, 1]
    forward, right = in_own_frame(game, agent, away_x, away_y)
    return turn_towards(rules, forward, right)


@compiled
def _step_aside(forward: np.float32, right: np.float32) -> tuple[int, int]:
    """The choices of moving and strafing that lead out of a snowball's path."""
    half = abs(right) if abs(right) > abs(forward) else abs(forward)
    half = half / np.float32(2)
    move = 0 if abs(forward) < half else (1 if forward > ZERO else 2)
    strafe = 0 if abs(right) < half else (1 if right > ZERO else 2)
    return move, strafe


@compiled
def _dodger(game: Game, rules: Rules, agent: int) -> Action:
    """Faces the other home, strafes, steps out of the way, and throws when it sees anyone."""
    turn = _face_other_home(game, rules, agent)
    move, strafe = 0, _sway(game, agent)
    danger, out_forward, out_right = see_danger(game, rules, agent, _MARGIN)
    if danger:
        move, strafe = _step_aside(out_forward, out_right)
    seen, _, _, _, _ = see_nearest(game, rules, agent)
    throw = 1 if seen and not _waits(game, agent) else 0
    return move, strafe, turn, throw


@compiled
def _is_free(game: Game, rules: Rules, agent: int, distance: np.float32) -> bool:
    """Whether no shelter would stop a throw straight ahead before this distance."""
    away_x = DIRECTIONS[game.heading[agent], 0] * distance
    away_y = DIRECTIONS[game.heading[agent], 1] * distance
    return is_clear(game, rules, agent, away_x, away_y, rules.snowball_radius)


@compiled
def _throws_at(game: Game, rules: Rules, agent: int, forward: np.float32, right: np.float32) -> bool:
    """Whether to throw now at a place: it lies ahead, no shelter is on the way, and the agent is not waiting."""
    if forward <= ZERO or abs(right) >= rules.agent_radius or game.cooldown[agent] > 0:
        return False
    return _is_free(game, rules, agent, forward) and not _waits(game, agent)


@compiled
def _aim_and_shoot(game: Game, rules: Rules, agent: int) -> Action:
    """Turns to the opponent in sight, and steps to the side for the last bit; looks round the shelters else."""
    seen, forward, right, _, _ = see_nearest(game, rules, agent)
    if not seen:
        return 0, _sway(game, agent), _face_other_home(game, rules, agent), 0
    if _throws_at(game, rules, agent, forward, right):
        return 0, 0, 0, 1
    turn = turn_towards(rules, forward, right)
    if turn != 0:
        return 0, 0, turn, 0
    if abs(right) >= rules.agent_radius:
        return 0, 1 if right > ZERO else 2, 0, 0
    return 0, 0 if _is_free(game, rules, agent, forward) else _sway(game, agent), 0, 0


@compiled
def _keep_depth(game: Game, rules: Rules, agent: int) -> int:
    """Back from the frontier, forward from the back wall: from the middle of its home an agent sees most."""
    depth = abs(game.position[agent, 1])
    if depth < rules.half_length * np.float32(0.4):
        return 2
    return 1 if depth > rules.half_length * np.float32(0.6) else 0


@compiled
def _leader(game: Game, rules: Rules, agent: int) -> Action:
    """Strafes and dodges, and throws at where the opponent in sight will be when the snowball is there."""
    move, strafe = 0, _sway(game, agent)
    danger, out_forward, out_right = see_danger(game, rules, agent, _MARGIN)
    if danger:
        move, strafe = _step_aside(out_forward, out_right)
    seen, forward, right, speed_forward, speed_right = see_nearest(game, rules, agent)
    if not seen:
        return move if danger else _keep_depth(game, rules, agent), strafe, _face_other_home(game, rules, agent), 0
    aim_forward, aim_right = forward, right
    for _ in range(2):
        distance = np.sqrt(aim_forward * aim_forward + aim_right * aim_right)
        seconds = (distance - rules.agent_radius) / rules.snowball_speed
        aim_forward = forward + speed_forward * seconds
        aim_right = right + speed_right * seconds
    throw = _throws_at(game, rules, agent, aim_forward, aim_right)
    return move, strafe, 0 if throw else turn_towards(rules, aim_forward, aim_right), 1 if throw else 0
