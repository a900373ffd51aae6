"""A full Atari replay buffer on disk: our segments against the Zoo's `--save-replay-buffer` pickle."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.save_util import save_to_pkl

from rl_units.course import load_course
from rl_units.environments import make_environment
from rl_units.training.replay import Segment, new_segments, read_segments, write_segment

STEPS = 100_000
INTERVAL = 25_000


def measure() -> Iterator[str]:
    """Size and time of both, and of what one more checkpoint adds."""
    buffer = played_buffer()
    yield f"{STEPS:,} transitions of Space Invaders by random play; buffer in memory "
    yield f"resident memory of this process {psutil.Process().memory_info().rss / 2**20:,.0f} MiB"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = psutil.Process().memory_info().rss
        start = time.perf_counter()
        segments = []
        for first, stop in new_segments(0, STEPS, STEPS):
            segments.append(Segment(f"{first}.npz", first, stop))
            write_segment(buffer, first, stop, folder / segments[-1].file)
        whole = time.perf_counter() - start
        size = sum(file.stat().st_size for file in folder.iterdir())
        grown = (psutil.Process().memory_info().rss - before) / 2**20
        yield f"ours, everything                 {size / 2**20:8,.0f} MiB  {whole:6.1f} s  (memory {grown:+.0f} MiB)"
        share = INTERVAL / STEPS
        yield f"ours, an interval of {INTERVAL:,} {size * share / 2**20:8,.0f} MiB  {whole * share:6.1f} s  (a quarter)"
        start = time.perf_counter()
        save_to_pkl(folder / "replay_buffer.pkl", buffer)
        seconds = time.perf_counter() - start
        pickle_size = (folder / "replay_buffer.pkl").stat().st_size
        yield f"SB3's pickle, each time          {pickle_size / 2**20:8,.0f} MiB  {seconds:6.1f} s"
        yield f"size {pickle_size / size:.0f}x smaller, a checkpoint {seconds / (whole * share):.0f}x faster"
        (folder / "replay_buffer.pkl").unlink()
        copy = ReplayBuffer(STEPS, buffer.observation_space, buffer.action_space)
        start = time.perf_counter()
        read_segments(copy, segments, folder, STEPS)
        yield f"ours, read back                                 {time.perf_counter() - start:6.1f} s"
        same = all(
            np.array_equal(getattr(buffer, column)[rows], getattr(copy, column)[rows])
            for column in ("observations", "next_observations", "actions", "rewards", "dones")
            for rows in np.array_split(np.arange(STEPS), 100)
        )
        yield f"read back equal: {same}"


def played_buffer() -> ReplayBuffer:
    """A full buffer of real frames."""
    env = make_environment(load_course().assignment_for("SpaceInvadersNoFrameskip-v4").protocol)
    buffer = ReplayBuffer(STEPS, env.observation_space, env.action_space)
    rng = np.random.default_rng(0)
    observation, _ = env.reset(seed=0)
    for _ in range(STEPS):
        action = rng.integers(env.action_space.n)
        following, reward, terminated, truncated, _ = env.step(action)
        done = np.array([terminated or truncated])
        buffer.add(observation[None], following[None], np.array([[action]]), np.array([reward]), done, [{}])
        observation = env.reset()[0] if done[0] else following
    env.close()
    return buffer
