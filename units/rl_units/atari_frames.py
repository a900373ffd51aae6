"""What the Atari wrapping does to the picture, kept step by step so that it can be shown.

The frames come out of the very wrappers that training and scoring use; nothing here imitates them.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import gymnasium as gym
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import NDArray
from stable_baselines3.common.atari_wrappers import AtariWrapper

from rl_units.course import Protocol
from rl_units.environments import is_atari
from rl_units.errors import ConfigError

FRAME_SKIP = 4
"""Emulator frames in one decision of the agent: the default of SB3's `AtariWrapper` (Mnih et al. 2015)."""

_TITLE_SIZE = 9


@dataclass(frozen=True)
class Decision:
    """One decision of the agent and what it saw for it.

    Attributes:
        raw: `(4, 210, 160, 3)` uint8, the emulator's RGB frames while the action was held.
        observation: `(84, 84)` uint8, what the wrapping made of them.
    """

    raw: NDArray[np.uint8]
    observation: NDArray[np.uint8]

    @property
    def pooled(self) -> NDArray[np.uint8]:
        """`(210, 160, 3)` uint8, the brighter of the last two raw frames, pixel by pixel."""
        brighter: NDArray[np.uint8] = np.maximum(self.raw[-2], self.raw[-1])
        return brighter

    @property
    def flicker(self) -> NDArray[np.bool_]:
        """`(210, 160)` bool, pixels that differ between the last two raw frames."""
        differs: NDArray[np.bool_] = (self.raw[-2] != self.raw[-1]).any(axis=-1)
        return differs


class _Recorder(gym.ObservationWrapper[Any, Any, Any]):
    """Keeps the frames of the bare emulator."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self.frames: list[NDArray[np.uint8]] = []

    def observation(self, observation: NDArray[np.uint8]) -> NDArray[np.uint8]:
        self.frames.append(observation)
        return observation


def play_decisions(protocol: Protocol, n_decisions: int, *, seed: int = 0) -> list[Decision]:
    """Plays random actions and keeps every picture on the way.

    Args:
        protocol: One with the Atari wrapping.
        n_decisions: Number of decisions, at least 1.
        seed: Of the environment and of the actions.

    Returns:
        The decisions in order; a lost life or game goes on with the next one.

    Raises:
        ConfigError: If the protocol is not that of an Atari game.
        UnknownEnvironmentError: If its environment is not registered.
    """
    if not is_atari(protocol.env_id) or protocol.preprocessing != "atari":
        raise ConfigError(f"{protocol.env_id} is not played with the Atari wrapping, so it has no frames to show.")
    recorder = _Recorder(gym.make(protocol.env_id, **protocol.env_kwargs))
    env = AtariWrapper(recorder, frame_skip=FRAME_SKIP)
    rng = np.random.default_rng(seed)
    decisions: list[Decision] = []
    try:
        env.reset(seed=seed)
        while len(decisions) < n_decisions:
            recorder.frames.clear()
            observation, _, terminated, truncated, _ = env.step(int(rng.integers(env.action_space.n)))  # type: ignore[attr-defined] # Atari's actions are Discrete
            if len(recorder.frames) == FRAME_SKIP:  # a game that ends in mid-decision shows fewer
                decisions.append(Decision(np.stack(recorder.frames), np.array(observation[..., 0])))
            if terminated or truncated:
                env.reset()
    finally:
        env.close()
    return decisions


def most_flicker(decisions: list[Decision]) -> int:
    """Index of the decision in which single sprites flicker most.

    Whole-screen changes, such as a step of the invaders, are passed over: more than one pixel in a hundred.
    """
    counts = [int(decision.flicker.sum()) for decision in decisions]
    limit = decisions[0].flicker.size // 100
    return max(range(len(decisions)), key=lambda index: counts[index] if counts[index] <= limit else -1)


def draw_decision(decision: Decision) -> Figure:
    """Draws the frames of one decision, their max-pool and the grey 84x84 picture; circles mark what flickers."""
    figure = _figure(6.8, 5.8)
    axes = figure.subplots(2, FRAME_SKIP // 2 + 1)
    pictures = (*decision.raw, decision.pooled, decision.observation)
    titles = (*(f"frame {number}" for number in range(1, FRAME_SKIP + 1)), "brighter of the last two", "grey, 84 x 84")
    for axis, picture, title in zip(axes.flat, pictures, titles, strict=True):
        _show(axis, picture, title)
    for axis in axes.flat[FRAME_SKIP - 2 : FRAME_SKIP + 1]:
        for place in _flickering_places(decision.flicker):
            axis.add_patch(Circle(place, 9, fill=False, color="#ffd400", linewidth=1.4))
    return figure


def draw_stack(observations: NDArray[np.uint8]) -> Figure:
    """Draws an agent's whole observation.

    Args:
        observations: `(n, 84, 84)` uint8, oldest first.
    """
    figure = _figure(1.9 * len(observations) + 1.9, 2.3)
    axes = figure.subplots(1, len(observations) + 1)
    for axis, picture, age in zip(axes, observations, range(len(observations) - 1, -1, -1), strict=False):
        _show(axis, picture, f"now - {age}" if age else "now")
    spread = observations.max(axis=0).astype(np.int16) - observations.min(axis=0)
    _show(axes[-1], np.minimum(spread * 2, 255).astype(np.uint8), "what moved")
    return figure


def _figure(width: float, height: float) -> Figure:
    # A light card with dark text can be read on a light page and on a dark one.
    return Figure(figsize=(width, height), dpi=100, facecolor="#faf8f3", layout="constrained")


def _show(axis: Axes, picture: NDArray[np.uint8], title: str) -> None:
    axis.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axis.set_title(title, fontsize=_TITLE_SIZE, color="#222222")
    axis.set_axis_off()


def _flickering_places(flicker: NDArray[np.bool_], reach: int = 11, least: int = 3) -> list[tuple[float, float]]:
    """Centres `(x, y)` of the sprites that flicker.

    Args:
        flicker: `(210, 160)` bool.
        reach: Pixels nearer to each other than this belong to one sprite.
        least: Fewer pixels are no sprite.
    """
    kernel = np.ones((reach, reach), np.uint8)
    n_labels, labels = cv2.connectedComponents(cv2.dilate(flicker.astype(np.uint8), kernel))
    sprites = [np.argwhere(flicker & (labels == label)) for label in range(1, n_labels)]
    return [(float(x), float(y)) for y, x in (sprite.mean(axis=0) for sprite in sprites if len(sprite) >= least)]
