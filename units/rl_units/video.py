"""Replays: an agent plays one full game, and the game becomes an mp4 that every browser plays."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from rl_units.agents.base import Agent
from rl_units.course import Protocol
from rl_units.environments import is_atari, require_environment
from rl_units.episodes import Episode, EpisodePlayer
from rl_units.errors import VideoError
from rl_units.mp4 import write_mp4

MAX_STEPS = 10_000
"""Longest replay in decisions: eleven minutes of an Atari game, a few megabytes."""

_EMULATOR_RATE = 60  # frames a second of the Atari 2600 (NTSC)
_ATARI_WRAPPER_SKIP = 4  # SB3's AtariWrapper, its default
_DEFAULT_RATE = 30  # for environments that name none; Gymnasium's own wrappers assume the same


@dataclass(frozen=True)
class Replay:
    """A recorded game.

    Attributes:
        path: The mp4.
        n_frames: Frames in it: one a decision, and the first.
        fps: Frames a second.
        width: Pixels, even.
        height: Pixels, even.
        episode_return: Full, unclipped return of the game; None if it had not ended after `max_steps`.
    """

    path: Path
    n_frames: int
    fps: float
    width: int
    height: int
    episode_return: float | None


def record_replay(agent: Agent, protocol: Protocol, path: Path, *, seed: int = 0, max_steps: int = 1000) -> Replay:
    """Plays one full game under a protocol and writes it as an mp4.

    The game is the one that an evaluation plays with the same seed: same start, same exploration coins, on over lost
    lives. It takes the place of an earlier file only when it is complete and decodes.

    Args:
        agent: The agent.
        protocol: How it plays.
        path: Where the mp4 goes; the folder is made.
        seed: Seed of the game.
        max_steps: Decisions after which the recording stops, 1 to `MAX_STEPS`.

    Raises:
        VideoError: If the environment renders no pictures, or the film cannot be encoded.
        StorageError: If the folder cannot be written.
        UserError: If the environment cannot be made, or the agent does not fit it.
    """
    if not 1 <= max_steps <= MAX_STEPS:
        raise VideoError(f"A replay has 1 to {MAX_STEPS:,} decisions, not {max_steps:,}.")
    if path.suffix.lower() != ".mp4":
        raise VideoError(f"A replay is an mp4, so its name must end in .mp4: {path}.")
    _require_pictures(protocol.env_id)
    player = EpisodePlayer(protocol, render_mode="rgb_array")
    try:
        fps = frame_rate(protocol, player.env)
        game = _Game(agent, player, seed, max_steps)
        film = write_mp4(game.frames(), path, fps)
    finally:
        player.close()
    episode_return = None if game.episode is None else game.episode.episode_return
    return Replay(path, film.n_frames, float(fps), film.width, film.height, episode_return)


def frame_rate(protocol: Protocol, env: gym.Env[Any, Any]) -> Fraction:
    """Frames a second at which a replay runs as fast as the game itself.

    Atari environments name 30, which fits neither of their uses: the console draws 60 frames a second and the agent
    sees one in four, so that one frame a decision is real time at 15.

    Args:
        protocol: How the environment is wrapped.
        env: The environment, for the rate in its metadata.

    Returns:
        At least 1, at most 60.
    """
    rate: Any = env.metadata.get("render_fps")
    if is_atari(protocol.env_id):
        spec = gym.spec(protocol.env_id)
        skip = {**spec.kwargs, **protocol.env_kwargs}.get("frameskip", 4)
        if isinstance(skip, int):  # old ids draw it at random from a range; then the metadata decides
            rate = Fraction(_EMULATOR_RATE, skip * (_ATARI_WRAPPER_SKIP if protocol.preprocessing == "atari" else 1))
    if not isinstance(rate, int | float | Fraction) or not math.isfinite(rate) or rate <= 0:
        rate = _DEFAULT_RATE
    return Fraction(min(max(rate, 1), 60)).limit_denominator(1000)


def show_video(path: Path) -> Any:
    """An object that a notebook displays as a player, with the whole film inside the notebook.

    Args:
        path: An mp4.

    Returns:
        `IPython.display.Video`.

    Raises:
        VideoError: If there is no such file, or no IPython.
    """
    try:
        from IPython.display import Video
    except ImportError as error:
        raise VideoError("Showing a film needs a notebook: pip install ipykernel.") from error
    if not path.is_file():
        raise VideoError(f"There is no film {path}; record one with: python -m rl_units record_video.")
    return Video(  # type: ignore[no-untyped-call]
        str(path), embed=True, mimetype="video/mp4", html_attributes="controls autoplay loop muted playsinline"
    )


def next_action(agent: Agent, observation: Any) -> Any:
    """The agent's deterministic action for one observation, without batch axis."""
    if isinstance(observation, dict):
        return agent.act({key: np.asarray(value)[None] for key, value in observation.items()})[0]
    return agent.act(np.asarray(observation)[None])[0]


class _Game:
    """The frames of one game, and what is known when they have all been drawn."""

    def __init__(self, agent: Agent, player: EpisodePlayer, seed: int, max_steps: int) -> None:
        self.episode: Episode | None = None
        self._agent = agent
        self._player = player
        self._seed = seed
        self._max_steps = max_steps

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Yields `(height, width, 3)` uint8 pictures: the start, then one after every decision."""
        self._player.start(0, self._seed)
        yield self._draw()
        for _ in range(self._max_steps):
            self.episode = self._player.step(next_action(self._agent, self._player.observation))
            yield self._draw()
            if self.episode is not None:
                return

    def _draw(self) -> NDArray[np.uint8]:
        try:
            frame: Any = self._player.env.render()
        except gym.error.Error as error:
            raise VideoError(f"The environment cannot be drawn: {error}") from error
        if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
            raise VideoError(f"The environment draws {type(frame).__name__}, not a picture of red, green and blue.")
        return np.ascontiguousarray(frame)


def _require_pictures(env_id: str) -> None:
    require_environment(env_id)
    entry_point = gym.spec(env_id).entry_point
    creator = entry_point if callable(entry_point) else gym.envs.registration.load_env_creator(str(entry_point))
    modes = getattr(creator, "metadata", {}).get("render_modes", ["rgb_array"])
    if "rgb_array" not in modes:
        raise VideoError(
            f"{env_id} cannot be filmed: it has no render mode 'rgb_array', only {', '.join(modes) or 'none'}."
        )
