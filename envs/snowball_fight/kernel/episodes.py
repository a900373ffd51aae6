"""How an episode begins, passes a tick, and ends."""

from typing import Final

import numpy as np

from snowball_fight.compiling import compiled
from snowball_fight.headings import HALF_TURN, N_HEADINGS, QUARTER_TURN
from snowball_fight.kernel import hits, motion, snowballs, targets
from snowball_fight.kernel.constants import Rules
from snowball_fight.kernel.motion import MOVE, ONE, STRAFE, THROW, TURN, ZERO
from snowball_fight.random_stream import START, below, draw, fraction
from snowball_fight.state import Game

_HEADINGS_PER_DEGREE: Final = N_HEADINGS // 360


@compiled
def begin(game: Game, rules: Rules) -> None:
    """Starts the episode that `game.seed` and `game.episode` name.

    Team 0 starts at random in its home, roughly facing the frontier; team 1 in the same poses turned by 180 degrees.
    """
    game.tick = 0
    game.over = False
    for agent in range(rules.n_agents):
        member = agent % rules.team_size
        across, along, aside, _ = draw(game.seed, game.episode, 0, START, member)
        share = fraction(across)
        x = (share + share - ONE) * (rules.half_width - rules.agent_radius)
        depth = rules.agent_radius + fraction(along) * (rules.half_length - rules.agent_radius - rules.agent_radius)
        spread = rules.start_spread * _HEADINGS_PER_DEGREE
        heading = QUARTER_TURN - spread + below(aside, 2 * spread + 1)
        if agent >= rules.team_size:
            x, depth, heading = -x, -depth, heading + HALF_TURN
        game.position[agent, 0] = x
        game.position[agent, 1] = -depth
        game.velocity[agent, 0] = ZERO
        game.velocity[agent, 1] = ZERO
        game.heading[agent] = heading % N_HEADINGS
        game.cooldown[agent] = 0
        game.health[agent] = rules.hits_to_fall
        game.alive[agent] = True
        game.ball_ticks[agent] = 0
        motion.push_out_of_shelters(game, rules, agent)
        motion.hold_in_home(game, rules, agent)
    for target in range(rules.n_targets):
        game.target_hits[target] = 0
        targets.place_target(game, rules, target)


@compiled
def clear_outcome(game: Game, rules: Rules) -> None:
    """Forgets what the last step brought."""
    for agent in range(rules.n_agents):
        game.rewards[agent] = ZERO
        game.terminated[agent] = False
        game.truncated[agent] = False
        game.hits[agent] = 0
        game.throws[agent] = 0
    for team in range(2):
        game.team_rewards[team] = ZERO
    game.winner = -1


@compiled
def note_outcome(game: Game, rules: Rules) -> None:
    """Notes what an autoreset would wipe out."""
    game.ended = game.over
    game.ticks = game.tick
    for agent in range(rules.n_agents):
        game.standing[agent] = game.alive[agent]


@compiled
def play_decision(game: Game, rules: Rules) -> None:
    """Plays the ticks for which an action is held; fewer where the episode ends."""
    for _ in range(rules.ticks_per_decision):
        _play_tick(game, rules)
        if not game.over and game.tick >= rules.max_ticks:
            game.over = True
            for agent in range(rules.n_agents):
                game.truncated[agent] = game.alive[agent]
        if game.over:
            break


@compiled
def _play_tick(game: Game, rules: Rules) -> None:
    """Plays a physics tick: all agents move, then all throw, then all snowballs fly, then all hits count."""
    for agent in range(rules.n_agents):
        if game.alive[agent]:
            motion.turn(game, rules, agent, game.action[agent, TURN])
            motion.speed_up(game, rules, agent, game.action[agent, MOVE], game.action[agent, STRAFE])
            motion.advance(game, rules, agent)
    for target in range(rules.n_targets):
        targets.glide(game, rules, target)
    for agent in range(rules.n_agents):
        _throw_and_fly(game, rules, agent)
    for agent in range(rules.n_agents):
        if game.ball_ticks[agent] > 0:
            if rules.n_teams == 2:
                hits.hit_agents(game, rules, agent)
            else:
                hits.hit_targets(game, rules, agent)
    _fell(game, rules)
    game.tick += 1


@compiled
def _throw_and_fly(game: Game, rules: Rules, agent: int) -> None:
    """Throws where the action says so and the cool-down allows it, and moves the agent's snowball."""
    if game.cooldown[agent] > 0:
        game.cooldown[agent] -= 1
    if game.alive[agent] and game.cooldown[agent] == 0 and game.action[agent, THROW] == 1:
        snowballs.throw(game, rules, agent)
        game.throws[agent] += 1
    if game.ball_ticks[agent] > 0:
        snowballs.fly(game, rules, agent)


@compiled
def _fell(game: Game, rules: Rules) -> None:
    """Takes agents without health out of the game, their snowballs too, and ends the game when a team has none left."""
    standing_0 = 0
    standing_1 = 0
    for agent in range(rules.n_agents):
        if game.alive[agent] and game.health[agent] <= 0:
            game.health[agent] = 0
            game.alive[agent] = False
            game.ball_ticks[agent] = 0
            game.terminated[agent] = True
        if game.alive[agent]:
            if agent < rules.team_size:
                standing_0 += 1
            else:
                standing_1 += 1
    if rules.n_teams == 2 and (standing_0 == 0 or standing_1 == 0):
        game.over = True
        _decide(game, rules, standing_0, standing_1)


@compiled
def _decide(game: Game, rules: Rules, standing_0: int, standing_1: int) -> None:
    """Gives both teams their ending reward; nothing for either when the last of both fell in the same tick."""
    for agent in range(rules.n_agents):
        if game.alive[agent]:
            game.terminated[agent] = True
    if standing_0 == standing_1:
        return
    winner = 0 if standing_0 > 0 else 1
    game.winner = winner
    # The tick at hand is not yet over, so that the winner's reward is above 0 even in the last one.
    game.team_rewards[winner] = ONE - np.float32(game.tick) / np.float32(rules.max_ticks)
    game.team_rewards[1 - winner] = -ONE
    for agent in range(rules.n_agents):
        team = 0 if agent < rules.team_size else 1
        game.rewards[agent] += game.team_rewards[team]
