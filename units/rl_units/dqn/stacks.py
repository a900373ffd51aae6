"""Observations that are stacks of frames: which ones are, and how they lie in memory."""

from typing import Any

import cv2
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.vec_env import VecEnv, VecFrameStack, VecTransposeImage, unwrap_vec_wrapper

from rl_units.dqn.frames import Frames


def frames_in_a_stack(env: VecEnv, buffer_class: object = None, n_steps: int = 1) -> int | None:
    """Frames in an observation, where this buffer is the one for an algorithm; None where SB3's is.

    Args:
        env: The environments that are trained in.
        buffer_class: The replay buffer that somebody asks for; None for none. SB3 saves its plain one with every model.
        n_steps: Steps whose rewards are added up for a transition.
    """
    stacking = unwrap_vec_wrapper(env, VecFrameStack)
    if buffer_class not in (None, ReplayBuffer) or n_steps > 1 or not isinstance(stacking, VecFrameStack):
        return None
    n_stack = int(stacking.stacked_obs.n_stack)
    has_channels_first = stacking.stacked_obs.channels_first or unwrap_vec_wrapper(env, VecTransposeImage) is not None
    return n_stack if has_channels_first and is_stack_of_images(env.observation_space, n_stack) else None


def is_stack_of_images(space: spaces.Space[Any], n_stack: int) -> bool:
    """Whether observations are so many images on each other, with the channels first."""
    return (
        isinstance(space, spaces.Box)
        and space.dtype == np.uint8
        and len(space.shape) == 3
        and n_stack > 1
        and space.shape[0] % n_stack == 0
    )


def keep_frames_whole(stacking: VecFrameStack) -> None:
    """Lays each frame of the stacks in one piece of memory; what is seen stays the same.

    SB3 lays the frames of a stack pixel by pixel beside each other. All that is done with them later, moving on,
    storing, handing to a network whose channels come first, then walks through memory in single bytes.

    Args:
        stacking: Of images; its stacks are uint8 `[n_envs, height, width, n_stack * channels]`. Others are left alone.
    """
    stacks: Any = stacking.stacked_obs.stacked_obs  # a dictionary for Dict spaces, which SB3's type leaves out
    if not isinstance(stacks, dict) and stacks.ndim == 4 and not stacking.stacked_obs.channels_first:
        stacking.stacked_obs.stacked_obs = np.moveaxis(np.moveaxis(stacks, -1, 1).copy(), 1, -1)


def by_pixel(stacks: Frames) -> Frames:
    """Observations with the values of a pixel side by side in memory, which a CPU's convolutions want.

    Args:
        stacks: `[n, n_stack, channels, height, width]`.

    Returns:
        `[n, n_stack * channels, height, width]`.
    """
    planes = stacks.reshape(len(stacks), -1, *stacks.shape[-2:])
    pixels: Frames = np.empty((len(planes), *planes.shape[2:], planes.shape[1]), np.uint8)
    for observation, out in zip(planes, pixels, strict=True):
        cv2.merge(list(observation), out)  # twice as fast as numpy, four times as torch
    return np.moveaxis(pixels, -1, 1)
