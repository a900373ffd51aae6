"""Pictures of a game, drawn from its state alone: no display, no window, no drawing library."""

from snowball_fight.rendering.renderer import Renderer

__all__ = ["Renderer"]
