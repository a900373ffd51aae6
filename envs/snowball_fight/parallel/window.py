"""A window on the screen, which is Gymnasium's own."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
from gymnasium.wrappers import HumanRendering

from snowball_fight.frames import Frame


class _Film(gym.Env[Any, Any]):
    """Frames in the shape of an environment, as Gymnasium's window takes them."""

    render_mode = "rgb_array"

    def __init__(self, draw: Callable[[], Frame], fps: int) -> None:
        self.metadata = {"render_modes": ["rgb_array"], "render_fps": fps}
        self.render = draw  # type: ignore[method-assign]  # the one method that the window calls, and `step` below

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:  # noqa: ARG002  # Gymnasium's name
        """The next frame is due."""
        return None, 0.0, False, False, {}


class Window:
    """Shows frames at the game's own pace.

    Args:
        draw: Gives the frame to show.
        fps: Frames a second.
    """

    def __init__(self, draw: Callable[[], Frame], fps: int) -> None:
        self._window: HumanRendering[Any, Any] = HumanRendering(_Film(draw, fps))

    def show(self) -> None:
        """Draws a frame and shows it, once its time has come.

        Raises:
            gymnasium.error.DependencyNotInstalled: If pygame is not installed.
        """
        self._window.step(None)

    def close(self) -> None:
        """Closes the window."""
        self._window.close()  # type: ignore[no-untyped-call]  # Gymnasium leaves it untyped
