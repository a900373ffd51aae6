"""A game in tiny images that takes seconds to learn: balls fall at an angle, and a paddle catches them.

One frame does not tell where a ball is going to; two do.
"""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

COLUMNS = 9
BALLS = 10
_PIXELS = 4  # a cell's side; 9 cells make 36 pixels, the least that SB3's convolutions take
_BALL, _PADDLE = 255, 128


class FallingBalls(gym.Env[NDArray[np.uint8], int]):
    """A paddle at the bottom, and one ball after another.

    A ball starts in a random column of the top row. In each step it falls by a row and moves by a column to one side,
    from which the walls throw it back; then the paddle moves by a column, or not. They move at the same time, so a
    player who does not know to which side the ball moves can only guess the last step. From anywhere there is time to
    get below any ball. A ball that is caught gives a reward of 1, any other nothing; after ten balls the game is over.

    Observations are images, uint8 `[36, 36, 1]`; the actions are left, stay and right.

    Attributes:
        ball: Row and column of the ball.
        drift: By how many columns it moves in a step, 1 or -1.
        paddle: Column of the paddle.
        balls: How many balls have fallen.
    """

    def __init__(self) -> None:
        side = COLUMNS * _PIXELS
        self.observation_space = spaces.Box(0, 255, (side, side, 1), np.uint8)
        self.action_space = spaces.Discrete(3)
        self.ball = (0, 0)
        self.drift = 1
        self.paddle = self.balls = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Starts a game; see `gymnasium.Env.reset`."""
        super().reset(seed=seed, options=options)
        self.balls = 0
        self.paddle = int(self.np_random.integers(COLUMNS))
        self._drop()
        return self._image(), {}

    def step(self, action: int) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """Moves ball and paddle; see `gymnasium.Env.step`."""
        row, column = self.ball
        if not 0 <= column + self.drift < COLUMNS:
            self.drift = -self.drift
        self.ball = (row + 1, column + self.drift)
        self.paddle = min(max(self.paddle + int(action) - 1, 0), COLUMNS - 1)
        if self.ball[0] < COLUMNS - 1:
            return self._image(), 0.0, False, False, {}
        caught = self.ball[1] == self.paddle
        self.balls += 1
        self._drop()
        return self._image(), float(caught), self.balls == BALLS, False, {}

    def _drop(self) -> None:
        self.ball = (0, int(self.np_random.integers(COLUMNS)))
        self.drift = int(self.np_random.choice([-1, 1]))

    def _image(self) -> NDArray[np.uint8]:
        cells = np.zeros((COLUMNS, COLUMNS, 1), np.uint8)
        cells[-1, self.paddle] = _PADDLE
        cells[self.ball] = _BALL
        return cells.repeat(_PIXELS, axis=0).repeat(_PIXELS, axis=1)
