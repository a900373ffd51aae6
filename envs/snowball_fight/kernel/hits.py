"""What snowballs hit. All hits of a tick count at once: who falls in a tick can still hit in it."""

from snowball_fight.compiling import compiled
from snowball_fight.kernel.constants import Rules
from snowball_fight.kernel.snowballs import squared_distance
from snowball_fight.kernel.targets import place_target
from snowball_fight.state import Game


@compiled
def hit_agents(game: Game, rules: Rules, thrower: int) -> None:
    """Lets a flying snowball hit the nearest standing opponent that it touches; teammates let it pass.

    Of two opponents at exactly the same distance the one of the lower number is hit.
    """
    reach = rules.agent_radius + rules.snowball_radius
    nearest = reach * reach
    struck = -1
    first = rules.team_size if thrower < rules.team_size else 0
    for agent in range(first, min(first + rules.team_size, rules.n_agents)):
        if not game.alive[agent]:
            continue
        squared = squared_distance(
            game.ball_position[thrower, 0],
            game.ball_position[thrower, 1],
            game.position[agent, 0],
            game.position[agent, 1],
        )
        if squared < nearest:
            nearest = squared
            struck = agent
    if struck >= 0:
        game.ball_ticks[thrower] = 0
        game.health[struck] -= 1
        game.hits[thrower] += 1
        game.rewards[thrower] += rules.hit_reward


@compiled
def hit_targets(game: Game, rules: Rules, thrower: int) -> None:
    """Lets a flying snowball hit the nearest target that it touches; the target comes back elsewhere."""
    reach = rules.target_radius + rules.snowball_radius
    nearest = reach * reach
    struck = -1
    for target in range(rules.n_targets):
        squared = squared_distance(
            game.ball_position[thrower, 0],
            game.ball_position[thrower, 1],
            game.target_position[target, 0],
            game.target_position[target, 1],
        )
        if squared < nearest:
            nearest = squared
            struck = target
    if struck >= 0:
        game.ball_ticks[thrower] = 0
        game.target_hits[struck] += 1
        game.hits[thrower] += 1
        game.rewards[thrower] += rules.target_reward
        place_target(game, rules, struck)
