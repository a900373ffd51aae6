"""What one agent sees: its rays, drawn from its own observation."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from snowball_fight.arenas import Arenas
from snowball_fight.headings import N_HEADINGS
from snowball_fight.layout import (
    BACKWARD_ANGLES,
    BACKWARD_TAGS,
    FORWARD_ANGLES,
    HOSTILE_TAGS,
    SLICES,
    SNOWBALL_TAGS,
    SURROUNDINGS_TAGS,
)
from snowball_fight.rendering.palette import (
    RAY_FRONTIER,
    RAY_HOSTILE,
    RAY_MISS,
    RAY_SHELTER,
    RAY_SNOWBALL,
    RAY_WALL,
    WHITE,
    Colour,
)
from snowball_fight.rendering.view import Board
from snowball_fight.spec import ArenaSpec
from snowball_fight.state import State

_COLOURS: Final[dict[str, Colour]] = {
    "opponent": RAY_HOSTILE,
    "snowball": RAY_SNOWBALL,
    "wall": RAY_WALL,
    "shelter": RAY_SHELTER,
    "frontier": RAY_FRONTIER,
    "miss": RAY_MISS,
}
_SENSORS: Final = (
    ("surroundings", FORWARD_ANGLES, SURROUNDINGS_TAGS),
    ("backward", BACKWARD_ANGLES, BACKWARD_TAGS),
    ("opponents", FORWARD_ANGLES, HOSTILE_TAGS),
    ("snowballs", FORWARD_ANGLES, SNOWBALL_TAGS),
)
"""Sensor, its rays' directions, and its tags; the most important ones last, so that they lie on top."""
_FINDERS: Final = ("opponents", "snowballs")
"""Sensors whose rays are drawn only where they meet something."""


class Lookout:
    """Draws what an agent sees.

    Args:
        spec: The kind of game.
    """

    def __init__(self, spec: ArenaSpec) -> None:
        self._spec = spec
        self._stage = Arenas(spec)

    def draw(self, board: Board, state: State, arena: int, agent: int) -> None:
        """Draws an agent's rays, each in the colour of what it meets; none when it has fallen.

        Opponents, targets and snowballs are met a little before they are reached: rays see them wider than they are, as
        wide as the faint circles say.
        """
        if not state.alive[arena, agent]:
            return
        self._draw_outlines(board, state, arena, agent)
        observation = self._observation(state, arena, agent)
        x, y = (float(value) for value in state.position[arena, agent])
        facing = 360 * int(state.heading[arena, agent]) / N_HEADINGS
        for sensor, angles, tags in _SENSORS:
            finds = sensor in _FINDERS
            for angle, block in zip(angles, observation[SLICES[sensor]].reshape(-1, len(tags)), strict=True):
                tag = tags[int(block[:-1].argmax())]
                if finds and tag == "miss":
                    continue
                length = float(block[-1]) * self._spec.ray_length
                direction = math.radians(facing + angle)
                end = (x + length * math.cos(direction), y + length * math.sin(direction))
                _draw_ray(board, (x, y), end, _COLOURS[tag], strong=finds, hit=tag != "miss")

    def _draw_outlines(self, board: Board, state: State, arena: int, agent: int) -> None:
        """Circles as wide as rays see what can be hit or can hit."""
        spec = self._spec
        team = agent // spec.team_size
        wide = spec.ray_radius
        for other in range(spec.n_agents):
            if other // spec.team_size == team:
                continue
            if state.alive[arena, other]:
                _draw_outline(board, state.position[arena, other], spec.agent_radius + wide, RAY_HOSTILE)
            if state.ball_ticks[arena, other] > 0:
                _draw_outline(board, state.ball_position[arena, other], spec.snowball_radius + wide, RAY_SNOWBALL)
        for target in range(spec.n_targets):
            _draw_outline(board, state.target_position[arena, target], spec.target_radius + wide, RAY_HOSTILE)

    def _observation(self, state: State, arena: int, agent: int) -> NDArray[np.float32]:
        """What an agent observes in this state, float32 `[floats]`."""
        for name in State._fields:
            getattr(self._stage.state, name)[0] = getattr(state, name)[arena]
        observation: NDArray[np.float32] = self._stage.observe()[0, agent]
        return observation


def _draw_outline(board: Board, place: NDArray[np.float32], radius: float, colour: Colour) -> None:
    """A faint circle."""
    board.ring(float(place[0]), float(place[1]), radius, 0.03, colour, 0.4)


def _draw_ray(
    board: Board, eye: tuple[float, float], end: tuple[float, float], colour: Colour, *, strong: bool, hit: bool
) -> None:
    """A ray from the eye to what it meets, with a dot there."""
    board.line(eye, end, 0.035 if strong else 0.022, colour, 0.85 if strong else 0.5)
    if hit:
        board.disc(*end, 0.13 if strong else 0.09, WHITE, 0.9)
        board.disc(*end, 0.1 if strong else 0.065, colour)
