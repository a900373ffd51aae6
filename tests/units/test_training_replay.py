"""Replay buffers on disk."""

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from stable_baselines3.common.buffers import DictReplayBuffer, NStepReplayBuffer, ReplayBuffer
from stable_baselines3.her.her_replay_buffer import HerReplayBuffer

from rl_units.errors import CheckpointError
from rl_units.training import replay
from rl_units.training.replay import Segment, end_last_episode, is_supported, new_segments, read_segments, write_segment

STACK = spaces.Box(0, 255, (3, 4, 5), np.uint8)
VECTOR = spaces.Box(-1, 1, (2,), np.float32)
ACTIONS = spaces.Discrete(4)
COLUMNS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


class Stacks:
    """An endless game whose observations are stacks of frames, as a frame stack makes them."""

    def __init__(self, seed, n_envs, ends=0.2):
        self.ends = ends
        self.rng = np.random.default_rng(seed)
        self.stack = self.rng.integers(0, 3, (n_envs, *STACK.shape), dtype=np.uint8)

    def play_into(self, buffer, steps):
        for _ in range(steps):
            n_envs = len(self.stack)
            frame = self.rng.integers(0, 3, (n_envs, 1, *STACK.shape[1:]), dtype=np.uint8)
            following = np.concatenate([self.stack[:, 1:], frame], axis=1)
            dones = self.rng.random(n_envs) < self.ends
            infos = [{"TimeLimit.truncated": bool(done and self.rng.random() < 0.5)} for done in dones]
            action, reward = self.rng.integers(4, size=(n_envs, 1)), self.rng.normal(size=n_envs)
            buffer.add(self.stack, following, action, reward, dones, infos)
            self.stack = following.copy()
            self.stack[dones] = self.rng.integers(0, 3, (int(dones.sum()), *STACK.shape), dtype=np.uint8)


def columns(buffer):
    found = {}
    for name in COLUMNS:
        value = getattr(buffer, name, None)
        if value is None:
            continue
        for key, array in value.items() if isinstance(value, dict) else [("", value)]:
            found[name, key] = array
    return found


def assert_same(left, right):
    assert (left.pos, left.full) == (right.pos, right.full)
    for name, array in columns(left).items():
        filled = slice(None) if left.full else slice(left.pos)
        assert np.array_equal(array[filled], columns(right)[name][filled]), name


def saved(buffer, folder, added, earlier=()):
    segments = list(earlier)
    for start, stop in new_segments(segments[-1].stop if segments else 0, added, buffer.buffer_size):
        segments.append(Segment(f"{start}-{stop}.npz", start, stop))
        write_segment(buffer, start, stop, folder / segments[-1].file)
    return segments


@pytest.mark.parametrize("kind", [ReplayBuffer, NStepReplayBuffer])
@given(steps=st.integers(1, 25), more=st.integers(0, 25), n_envs=st.integers(1, 2), seed=st.integers(0, 5))
def test_what_is_read_is_what_was_written(tmp_path_factory, kind, steps, more, n_envs, seed):
    folder = tmp_path_factory.mktemp("replay")
    make = lambda: kind(10 * n_envs, STACK, ACTIONS, n_envs=n_envs)  # noqa: E731 # two equal buffers
    buffer, copy, game = make(), make(), Stacks(seed, n_envs)

    game.play_into(buffer, steps)
    segments = saved(buffer, folder, steps)
    game.play_into(buffer, more)
    segments = saved(buffer, folder, steps + more, segments)
    read_segments(copy, segments, folder, steps + more)

    assert_same(buffer, copy)


def test_the_memory_saving_variant_is_read_back(tmp_path):
    make = lambda: ReplayBuffer(  # noqa: E731 # two equal buffers
        10, STACK, ACTIONS, n_envs=1, optimize_memory_usage=True, handle_timeout_termination=False
    )
    buffer, copy = make(), make()
    Stacks(0, 1).play_into(buffer, 13)

    read_segments(copy, saved(buffer, tmp_path, 13), tmp_path, 13)

    assert_same(buffer, copy)


def test_dictionaries_and_vectors_are_read_back(tmp_path):
    space = spaces.Dict({"image": STACK, "vector": VECTOR})
    make = lambda: DictReplayBuffer(8, space, ACTIONS, n_envs=2)  # noqa: E731 # two equal buffers
    buffer, copy = make(), make()
    space.seed(0)
    for _ in range(6):
        batches = [{key: np.stack([space.sample()[key] for _ in range(2)]) for key in space} for _ in range(2)]
        buffer.add(batches[0], batches[1], np.zeros((2, 1)), np.ones(2), np.zeros(2), [{}, {}])

    read_segments(copy, saved(buffer, tmp_path, 6), tmp_path, 6)

    assert_same(buffer, copy)


def test_each_frame_is_stored_once():
    game, buffer = Stacks(0, 1, ends=0.0), ReplayBuffer(50, STACK, ACTIONS, n_envs=1)
    game.play_into(buffer, 50)

    packed = replay._pack(buffer.observations, buffer.next_observations)

    assert len(packed["frames"]) == 50 + STACK.shape[0]


def test_only_what_is_new_and_still_held_is_written():
    assert list(new_segments(saved_until=0, added=5, capacity=100)) == [(0, 5)]
    assert list(new_segments(saved_until=5, added=5, capacity=100)) == []
    assert list(new_segments(saved_until=5, added=300, capacity=100)) == [(200, 300)]
    assert list(new_segments(0, 25_000, 50_000)) == [(0, 10_000), (10_000, 20_000), (20_000, 25_000)]


def test_a_resumed_run_does_not_join_two_episodes():
    buffer = ReplayBuffer(10, VECTOR, ACTIONS, n_envs=2)
    for done in (False, True):
        buffer.add(np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((2, 1)), np.ones(2), np.array([done, False]), [{}, {}])

    end_last_episode(buffer)

    # The first environment's episode ended by itself; the second's is cut, which is not the end of its future.
    assert buffer.dones[1].tolist() == [1, 1]
    assert buffer.timeouts[1].tolist() == [0, 1]
    assert buffer.dones[0].tolist() == [0, 0]


def test_buffers_with_state_of_their_own_are_not_supported():
    class Own(ReplayBuffer):
        """Somebody's."""

    assert is_supported(ReplayBuffer(2, VECTOR, ACTIONS))
    assert not is_supported(Own(2, VECTOR, ACTIONS))
    assert not is_supported(object.__new__(HerReplayBuffer))


def test_a_segment_of_another_shape_is_refused(tmp_path):
    buffer = ReplayBuffer(10, STACK, ACTIONS, n_envs=1)
    Stacks(0, 1).play_into(buffer, 5)
    segments = saved(buffer, tmp_path, 5)

    with pytest.raises(CheckpointError, match="does not fit"):
        read_segments(ReplayBuffer(10, VECTOR, ACTIONS), segments, tmp_path, 5)


@pytest.mark.parametrize("damage", ["missing", "truncated", "pickled"])
def test_a_damaged_segment_is_refused(tmp_path, damage):
    buffer = ReplayBuffer(10, STACK, ACTIONS, n_envs=1)
    Stacks(0, 1).play_into(buffer, 5)
    (segment,) = segments = saved(buffer, tmp_path, 5)
    path = tmp_path / segment.file
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-30])
    else:
        np.savez(path, actions=np.array([object()], dtype=object))

    with pytest.raises(CheckpointError, match="damaged"):
        read_segments(ReplayBuffer(10, STACK, ACTIONS), segments, tmp_path, 5)
