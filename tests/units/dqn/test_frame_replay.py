"""The frame buffer beside SB3's: the same in, the same out."""

import contextlib
import dataclasses
import errno
import os
import resource
import secrets
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch as th
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from stable_baselines3.common.buffers import ReplayBuffer

from flicker import ACTIONS, flickering, play
from rl_units.dqn import frame_files
from rl_units.dqn.frame_replay import FrameReplayBuffer
from rl_units.errors import CheckpointError, StorageError
from rl_units.training.replay import Segment, end_last_episode, new_segments, read_segments, write_segment


def stacked(episodes, n_envs, n_stack, channels):
    return flickering(episodes, n_envs, n_stack, (15, 14, channels))


def both(capacity, env, n_stack, folder=None):
    arguments = (capacity, env.observation_space, ACTIONS, "cpu", env.num_envs)
    ours = FrameReplayBuffer(*arguments, n_stack=n_stack, folder=folder, prefix=secrets.token_hex(4))
    return ReplayBuffer(*arguments), ours


@pytest.fixture(autouse=True)
def _small_files(monkeypatch):
    monkeypatch.setattr(frame_files, "CHUNK_BYTES", 15 * 14 * 3 * 10)


@contextlib.contextmanager
def place(is_in_files):
    """A folder for the frames, or None."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name) if is_in_files else None


def batches(buffer, n=3, size=16):
    np.random.seed(3)  # noqa: NPY002 # buffers draw with it
    return [buffer.sample(size) for _ in range(n)]


def assert_same_batches(theirs, ours):
    for expected, seen in zip(batches(theirs), batches(ours), strict=True):
        for name in ("observations", "actions", "next_observations", "dones", "rewards"):
            one, other = getattr(expected, name), getattr(seen, name)
            assert one.dtype == other.dtype
            assert one.equal(other), name


episodes = st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=6)


@given(
    lengths=episodes,
    n_envs=st.integers(1, 3),
    n_stack=st.integers(2, 4),
    channels=st.sampled_from([1, 3]),
    capacity=st.integers(3, 40),
    steps=st.integers(1, 60),
    is_in_files=st.booleans(),
)
def test_batches_are_those_of_stable_baselines(lengths, n_envs, n_stack, channels, capacity, steps, is_in_files):
    env = stacked(lengths, n_envs, n_stack, channels)
    with place(is_in_files) as folder:
        theirs, ours = both(capacity, env, n_stack, folder)

        play(env, (theirs, ours), steps)

        assert_same_batches(theirs, ours)
    assert (ours.pos, ours.full, ours.size()) == (theirs.pos, theirs.full, theirs.size())


@given(lengths=episodes, first=st.integers(1, 20), second=st.integers(1, 20))
def test_an_environment_that_begins_anew_without_an_end_is_understood(lengths, first, second):
    env = stacked(lengths, 2, 4, 1)
    theirs, ours = both(30, env, 4)

    play(env, (theirs, ours), first)
    play(env, (theirs, ours), second)

    assert_same_batches(theirs, ours)


def test_observations_lie_in_memory_as_convolutions_on_a_cpu_want_them():
    env = stacked([(9, False)], 2, 4, 1)
    _, ours = both(10, env, 4)
    play(env, (ours,), 5)

    batch = ours.sample(4)

    for observations in (batch.observations, batch.next_observations):
        assert observations.is_contiguous(memory_format=th.channels_last)


def test_a_stack_that_does_not_move_on_by_a_frame_is_refused():
    env = stacked([(9, False)], 1, 4, 1)
    _, ours = both(10, env, 4)
    observation = play(env, (ours,), 2)
    other = np.full_like(observation, 9)

    with pytest.raises(ValueError, match="moved on by a frame"):
        ours.add(other, other, np.zeros(1, int), np.zeros(1), np.zeros(1), [{}])


@pytest.mark.parametrize(
    "space",
    [
        spaces.Box(0, 255, (84, 84, 4), np.uint8),
        spaces.Box(0.0, 1.0, (4, 84, 84), np.float32),
        spaces.Box(0, 255, (4,), np.uint8),
        spaces.Discrete(4),
    ],
    ids=["channels last", "floats", "no image", "no box"],
)
def test_what_is_no_stack_of_images_is_refused(space):
    if space.shape == (84, 84, 4):
        with pytest.raises(ValueError, match="no stack of 5"):
            FrameReplayBuffer(10, space, ACTIONS, "cpu", n_stack=5)
        return
    with pytest.raises(ValueError, match="no stack of 4"):
        FrameReplayBuffer(10, space, ACTIONS, "cpu", n_stack=4)


def save(buffer, folder, segments, added):
    """Writes what is new since the last segment; gives all segments and the files of the frames."""
    for start, stop in new_segments(segments[-1].stop if segments else 0, added, buffer.buffer_size):
        segments.append(Segment(f"{start}.npz", start, stop))
        write_segment(buffer, start, stop, folder / segments[-1].file)
    return [segment for segment in segments if segment.stop > added - buffer.buffer_size], buffer.cut()


@given(
    lengths=episodes,
    n_envs=st.integers(1, 3),
    capacity=st.integers(3, 40),
    cuts=st.lists(st.integers(1, 30), min_size=1, max_size=4),
)
def test_what_is_restored_is_what_was_saved_and_goes_on_alike(lengths, n_envs, capacity, cuts):
    env = stacked(lengths, n_envs, 4, 1)
    with tempfile.TemporaryDirectory() as name:
        theirs, ours = both(capacity, env, 4, Path(name))
        observation, added, segments = None, 0, []
        for steps in cuts:
            observation = play(env, (theirs, ours), steps, observation)
            added += steps
            segments, chunks = save(ours, Path(name), segments, added)

        restored = both(capacity, env, 4, Path(name))[1]
        read_segments(restored, segments, Path(name), added, chunks)
        assert_same_batches(theirs, restored)
        play(env, (theirs, restored), 5, observation)
        assert_same_batches(theirs, restored)


@given(lengths=episodes, capacity=st.integers(3, 40), runs=st.lists(st.integers(1, 15), min_size=2, max_size=4))
def test_a_run_that_is_resumed_again_and_again_has_the_transitions_that_it_saw(lengths, capacity, runs):
    env = stacked(lengths, 2, 4, 1)
    with tempfile.TemporaryDirectory() as name:
        theirs, ours = both(capacity, env, 4, Path(name))
        added, segments = 0, []
        for steps in runs:
            play(env, (theirs, ours), steps)
            added += steps
            segments, chunks = save(ours, Path(name), segments, added)
            ours = both(capacity, env, 4, Path(name))[1]
            read_segments(ours, segments, Path(name), added, chunks)
            assert_same_batches(theirs, ours)
            end_last_episode(ours)
            end_last_episode(theirs)
        assert_same_batches(theirs, ours)


def test_files_that_were_saved_are_not_written_again(tmp_path):
    env = stacked([(5, False)], 1, 4, 1)
    _, ours = both(20, env, 4, tmp_path)
    observation = play(env, (ours,), 12)
    before = {chunk.file: (tmp_path / chunk.file).read_bytes() for chunk in ours.cut()}

    play(env, (ours,), 30, observation)

    assert before
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_files_that_a_checkpoint_names_are_on_the_disk_before(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(frame_files, "sync", synced.append)
    env = stacked([(9, False)], 2, 4, 1)
    _, ours = both(100, env, 4, tmp_path)
    play(env, (ours,), 40)

    named = {tmp_path / chunk.file for chunk in ours.cut()}

    assert named
    assert named | {tmp_path} == set(synced)


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(tmp_path, monkeypatch):
    def refuse(path, mode):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(frame_files, "FileIO", refuse)
    env = stacked([(9, False)], 2, 4, 1)
    _, ours = both(100, env, 4, tmp_path)

    with pytest.raises(StorageError, match=r"cannot be written: Permission denied\. Choose another folder"):
        play(env, (ours,), 1)


def test_more_files_than_may_be_open_are_read_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(frame_files, "_MOST_OPEN", 2)
    env = stacked([(9, False)], 2, 4, 1)
    theirs, ours = both(100, env, 4, tmp_path)

    play(env, (theirs, ours), 50)

    assert len(list(tmp_path.iterdir())) == 4
    assert sum(not chunk._content.closed for chunk in ours.frame_files._chunks) == 2
    assert_same_batches(theirs, ours)


def test_files_that_no_checkpoint_names_go_when_their_frames_are_given_up(tmp_path):
    env = stacked([(5, False)], 1, 4, 1)
    _, ours = both(40, env, 4, tmp_path)

    play(env, (ours,), 500)

    # 44 frames, 30 in each file
    assert len(list(tmp_path.iterdir())) <= 3


@pytest.mark.parametrize("damage", ["one missing", "shorter", "other frames", "another stop"])
def test_files_that_are_not_those_of_the_run_are_refused(damage, tmp_path):
    env = stacked([(5, False)], 1, 4, 1)
    _, ours = both(90, env, 4, tmp_path)
    play(env, (ours,), 90)
    segments, chunks = save(ours, tmp_path, [], 90)
    restored = both(90, env, 4, tmp_path)[1]
    if damage == "one missing":
        (tmp_path / chunks[1].file).unlink()
    elif damage == "shorter":
        os.truncate(tmp_path / chunks[1].file, 100)
    elif damage == "other frames":
        del chunks[1]
    else:
        chunks[-1] = dataclasses.replace(chunks[-1], stop=chunks[-1].stop - 1)

    with pytest.raises(CheckpointError, match="does not fit this run"):
        read_segments(restored, segments, tmp_path, 90, chunks)


def test_a_disk_that_takes_no_more_is_an_error_and_not_the_end_of_the_process(tmp_path):
    env = stacked([(5, False)], 1, 4, 1)
    _, ours = both(90, env, 4, tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            play(env, (ours,), 90)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@given(lengths=episodes, first=st.integers(1, 30), second=st.integers(1, 30))
def test_episodes_that_are_broken_off_end_by_a_time_limit(lengths, first, second):
    env = stacked(lengths, 2, 4, 1)
    theirs, ours = both(30, env, 4)
    play(env, (theirs, ours), first)

    end_last_episode(theirs)
    ours.end_episodes()
    play(env, (theirs, ours), second)

    assert_same_batches(theirs, ours)
