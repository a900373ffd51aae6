"""Pictures of arenas for the environments: the renderer is made, and its code loaded, with the first frame."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snowball_fight.spec import ArenaSpec

if TYPE_CHECKING:
    from snowball_fight.arenas import Arenas
    from snowball_fight.rendering import Renderer

Frame = NDArray[np.uint8]


class Frames:
    """Draws the arenas of an environment.

    Args:
        spec: The kind of game.
        render_mode: What the environment was asked for.
        modes: What it can do, apart from `None`.

    Raises:
        ValueError: If it cannot do what it was asked for.
    """

    def __init__(self, spec: ArenaSpec, render_mode: str | None, modes: list[str]) -> None:
        if render_mode is not None and render_mode not in modes:
            raise ValueError(f"The render mode is None or one of {', '.join(modes)}, not {render_mode!r}.")
        self._spec = spec
        self._renderer: Renderer | None = None

    def draw(self, arenas: "Arenas | None", arena: int, rays_of: int | None) -> Frame:
        """A picture of an arena as it stands.

        Args:
            arenas: The games, `None` before the first reset.
            arena: Which of them.
            rays_of: The agent whose rays are shown, or `None`.

        Returns:
            uint8 `[size, size, 3]`.

        Raises:
            RuntimeError: If there is nothing to draw yet.
        """
        if arenas is None:
            raise RuntimeError("There is nothing to draw before the first reset: call reset first.")
        if self._renderer is None or self._renderer.show_rays != rays_of:
            from snowball_fight.rendering import Renderer  # late: only pictures need it

            self._renderer = Renderer(self._spec, show_rays=rays_of)
        return self._renderer.draw(arenas.state, arena)
