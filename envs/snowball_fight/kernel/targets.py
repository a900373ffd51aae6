"""Targets of target practice: where they come up, and how some glide."""

import numpy as np

from snowball_fight.compiling import compiled
from snowball_fight.kernel.constants import Rules
from snowball_fight.kernel.motion import ZERO
from snowball_fight.kernel.snowballs import squared_distance
from snowball_fight.random_stream import TARGET, draw, fraction
from snowball_fight.state import Game


@compiled
def place_target(game: Game, rules: Rules, target: int) -> None:
    """Puts a target somewhere in the far half, clear of shelters.

    The place is a function of seed, episode, target and how often the target was hit.
    """
    need = game.target_hits[target]
    across, along, course, _ = draw(game.seed, game.episode, need, TARGET, target)
    radius = rules.target_radius
    side = rules.half_width - radius
    share = fraction(across)
    x = (share + share) * side - side
    y = radius + fraction(along) * (rules.half_length - radius - radius)
    for shelter in range(rules.n_shelters):
        reach = rules.shelters[shelter, 2] + radius
        squared = squared_distance(x, y, rules.shelters[shelter, 0], rules.shelters[shelter, 1])
        if squared < reach * reach and squared > ZERO:
            stretch = reach / np.sqrt(squared)
            x, y = (
                rules.shelters[shelter, 0] + (x - rules.shelters[shelter, 0]) * stretch,
                rules.shelters[shelter, 1] + (y - rules.shelters[shelter, 1]) * stretch,
            )
    game.target_position[target, 0] = x
    game.target_position[target, 1] = y
    if target >= rules.n_gliding_targets:
        game.target_course[target] = 0
    else:
        game.target_course[target] = 1 if fraction(course) < np.float32(0.5) else -1


@compiled
def glide(game: Game, rules: Rules, target: int) -> None:
    """Moves a gliding target for a tick; it turns back where a wall or a shelter is in its way."""
    course = game.target_course[target]
    if course == 0:
        return
    x = game.target_position[target, 0]
    y = game.target_position[target, 1]
    stride = rules.target_speed * rules.tick_seconds
    ahead = x + stride if course > 0 else x - stride
    side = rules.half_width - rules.target_radius
    blocked = ahead > side or ahead < -side
    for shelter in range(rules.n_shelters):
        reach = rules.shelters[shelter, 2] + rules.target_radius
        squared = squared_distance(ahead, y, rules.shelters[shelter, 0], rules.shelters[shelter, 1])
        # Leaving a shelter that it touches is no obstacle.
        nearer = squared < squared_distance(x, y, rules.shelters[shelter, 0], rules.shelters[shelter, 1])
        blocked = blocked or (nearer and squared < reach * reach)
    if blocked:
        game.target_course[target] = -course
    else:
        game.target_position[target, 0] = ahead
