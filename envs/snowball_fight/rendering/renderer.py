"""Draws a game: the ground once, and on it whatever the state says."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from snowball_fight.rendering.figures import draw_agent, draw_snowball, draw_target
from snowball_fight.rendering.ground import ground_of
from snowball_fight.rendering.painting import paint
from snowball_fight.rendering.score_strip import draw_strip
from snowball_fight.rendering.shapes import table_of
from snowball_fight.rendering.sights import Lookout
from snowball_fight.rendering.view import Board, View
from snowball_fight.spec import ArenaSpec
from snowball_fight.state import State

SMALLEST_SIZE = 64


class Renderer:
    """Draws the state of an arena as a picture. The same state gives the same picture: nothing is remembered.

    Nothing is compiled or painted before the first `draw`.

    Args:
        spec: The kind of game.
        size: Height and width of the picture, pixels.
        show_rays: The agent whose rays are drawn, coloured by what they meet; `None` draws none.

    Raises:
        ValueError: If the picture is too small to show anything, or if there is no such agent.
    """

    def __init__(self, spec: ArenaSpec, size: int = 640, show_rays: int | None = None) -> None:
        if size < SMALLEST_SIZE:
            raise ValueError(f"A picture of {size} pixels shows nothing: take {SMALLEST_SIZE} or more.")
        self.spec = spec
        self.size = size
        self.show_rays = show_rays
        self._view = View.of(spec, size)

    def draw(self, state: State, arena: int = 0) -> NDArray[np.uint8]:
        """Draws an arena as it is in this moment.

        Args:
            state: The state of any number of arenas of this kind; it is only read.
            arena: Which of them.

        Returns:
            uint8 `[size, size, 3]`, red, green and blue; a new array.

        Raises:
            IndexError: If there is no such arena.
        """
        n_arenas = len(state.tick)
        if not 0 <= arena < n_arenas:
            raise IndexError(f"There is no arena {arena}: they go from 0 to {n_arenas - 1}.")
        board = Board(self._view)
        agents = range(self.spec.n_agents)
        if self.show_rays is not None:
            self._lookout.draw(board, state, arena, self.show_rays)
        for agent in sorted(agents, key=lambda agent: bool(state.alive[arena, agent])):
            draw_agent(board, self.spec, state, arena, agent)
        for target in range(self.spec.n_targets):
            draw_target(board, self.spec, state, arena, target)
        for agent in agents:
            draw_snowball(board, self.spec, state, arena, agent)
        draw_strip(board, self.spec, state, arena)
        canvas = self._ground.copy()
        paint(canvas, table_of(board.shapes))
        return canvas

    @property
    def show_rays(self) -> int | None:
        """The agent whose rays are drawn, or `None`; another one may be set between two pictures.

        Raises:
            ValueError: If there is no such agent.
        """
        return self._show_rays

    @show_rays.setter
    def show_rays(self, agent: int | None) -> None:
        if agent is not None and not 0 <= agent < self.spec.n_agents:
            last = self.spec.n_agents - 1
            raise ValueError(f"There is no agent {agent} whose rays could be drawn: they go from 0 to {last}.")
        self._show_rays = agent

    @cached_property
    def _lookout(self) -> Lookout:
        """Made with the first rays that are drawn."""
        return Lookout(self.spec)

    @cached_property
    def _ground(self) -> NDArray[np.uint8]:
        """The empty arena, uint8 `[size, size, 3]`."""
        return ground_of(self.spec, self._view)
