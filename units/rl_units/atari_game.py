"""An Atari game that starts again, and plays, without work that nobody sees the result of."""

from typing import Any, SupportsFloat

import gymnasium as gym
from ale_py.env import AtariEnv

# SB3's AtariWrapper takes the brighter of the last two of four frames.
_UNSEEN_FRAMES = 2


class QuickAtariEnv(AtariEnv):
    """`AtariEnv`, frame by frame, that loads its game once and need not draw every frame.

    A seeded reset of `AtariEnv` loads the game's ROM again, which takes as long as a hundred decisions. It cannot be
    left out: some games (Beam Rider, Seaquest) begin differently when they have been played before. Copying the state
    of the machine as it was just after loading gives the same game in 4 ms instead of 90. Only the emulator's own
    random generator differs, so games that use it (sticky actions) are loaded every time.

    Attributes:
        undrawn_frames: How many of the next frames are not drawn; their observations are those of the frame before.
    """

    undrawn_frames = 0
    _loaded: Any = None
    _screen: Any = None

    def load_game(self) -> None:
        """Loads the game, or puts back the machine as it was when the game had just been loaded."""
        if self._loaded is not None:
            self.ale.restoreState(self._loaded)
            return
        super().load_game()
        if self.ale.getFloat("repeat_action_probability") == 0.0:
            self._loaded = self.ale.cloneState()

    def _get_obs(self) -> Any:
        if self.undrawn_frames > 0:
            self.undrawn_frames -= 1
        else:
            self._screen = super()._get_obs()
        return self._screen


class SeenFrames(gym.Wrapper[Any, Any, Any, Any]):
    """Leaves the first two of a decision's four frames undrawn, because SB3's wrapper never looks at them."""

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Plays one decision; see `gymnasium.Env.step`."""
        game: Any = self.unwrapped
        game.undrawn_frames = _UNSEEN_FRAMES
        try:
            return self.env.step(action)
        finally:
            game.undrawn_frames = 0  # a game that ends early has not used them up
