"""Replays are real games, in the one format that every browser plays, or an error and no file."""

import gc
import itertools
import warnings
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import gymnasium as gym
import imageio_ffmpeg
import numpy as np
import pytest

from rl_units.course import Protocol, load_course
from rl_units.episodes import EpisodePlayer
from rl_units.errors import StorageError, VideoError
from rl_units.mp4 import write_mp4
from rl_units.video import frame_rate, next_action, record_replay, show_video

CARTPOLE = Protocol("cartpole", 1, "CartPole-v1")
ATARI = load_course().assignment_for("SpaceInvadersNoFrameskip-v4").protocol


class RandomAgent:
    algo = "dqn"
    sha256 = "0" * 64

    def __init__(self, n_actions):
        self.rng = np.random.default_rng(0)
        self.n_actions = n_actions

    def act(self, observations):
        return self.rng.integers(self.n_actions, size=len(observations))


class Pictureless(gym.Env):
    metadata: ClassVar = {"render_modes": ["ansi"]}
    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(2)


@pytest.fixture(scope="module")
def replay(tmp_path_factory):
    path = tmp_path_factory.mktemp("replay") / "videos" / "replay.mp4"
    return record_replay(RandomAgent(6), ATARI, path, seed=1)


@pytest.fixture(scope="module")
def decoded(replay):
    """What ffmpeg says about the film, and its pictures."""
    shape = (replay.height, replay.width, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # imageio-ffmpeg leaves its pipes to the garbage collector
        reader = imageio_ffmpeg.read_frames(replay.path)
        meta = next(reader)
        frames = [np.frombuffer(frame, np.uint8).reshape(shape) for frame in reader]
        del reader
        gc.collect()
    return meta, frames


def test_film_is_h264_with_the_pixel_format_of_browsers(decoded):
    meta, _ = decoded
    assert meta["codec"] == "h264"
    assert meta["pix_fmt"].startswith("yuv420p")


def test_film_starts_to_play_before_it_has_arrived(replay):
    content = replay.path.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_film_shows_the_game_in_real_time(decoded):
    meta, _ = decoded
    assert meta["fps"] == 60 / 4


def test_film_has_as_many_frames_as_the_replay_says(replay, decoded):
    _, frames = decoded
    assert len(frames) == replay.n_frames


def test_film_is_enlarged_by_a_whole_factor(replay):
    assert (replay.width, replay.height) == (2 * 160, 2 * 210)


def test_film_moves_and_is_not_black(decoded):
    _, frames = decoded
    assert min(frame.max() for frame in frames) > 100
    changes = [int(np.abs(a.astype(int) - b).max()) for a, b in itertools.pairwise(frames)]
    assert sum(change > 50 for change in changes) > len(frames) / 4


def test_replay_is_the_game_that_an_evaluation_plays_with_that_seed(replay):
    agent, player = RandomAgent(6), EpisodePlayer(ATARI)
    player.start(0, 1)
    episode = None
    while episode is None:
        episode = player.step(next_action(agent, player.observation))
    player.close()
    assert replay.episode_return == episode.episode_return


def test_long_game_is_cut_and_has_no_return(tmp_path):
    replay = record_replay(RandomAgent(2), CARTPOLE, tmp_path / "short.mp4", max_steps=4)
    assert (replay.n_frames, replay.episode_return) == (5, None)


@pytest.mark.parametrize("max_steps", [0, 10_001])
def test_unbounded_film_is_refused(tmp_path, max_steps):
    with pytest.raises(VideoError, match="1 to 10,000 decisions"):
        record_replay(RandomAgent(2), CARTPOLE, tmp_path / "replay.mp4", max_steps=max_steps)


def test_other_format_is_refused(tmp_path):
    with pytest.raises(VideoError, match=r"must end in \.mp4"):
        record_replay(RandomAgent(2), CARTPOLE, tmp_path / "replay.gif")


def test_environment_without_pictures_is_named(tmp_path):
    gym.register("Pictureless-v0", Pictureless)
    with pytest.raises(VideoError, match="no render mode 'rgb_array', only ansi"):
        record_replay(RandomAgent(2), Protocol("p", 1, "Pictureless-v0"), tmp_path / "replay.mp4")
    gym.registry.pop("Pictureless-v0")


@pytest.mark.parametrize(("env_id", "rate"), [("CartPole-v1", 50), ("ALE/SpaceInvaders-v5", 15), ("Taxi-v4", 4)])
def test_frame_rate_is_the_games_own(env_id, rate):
    protocol = Protocol("p", 1, env_id)
    player = EpisodePlayer(protocol)
    assert frame_rate(protocol, player.env) == rate
    player.close()


@pytest.mark.parametrize(("named", "rate"), [(None, 30), (float("nan"), 30), (0, 30), (1000, 60), (0.2, 1)])
def test_impossible_frame_rate_is_mended(named, rate):
    env = gym.Env()
    env.metadata = {"render_fps": named}
    assert frame_rate(CARTPOLE, env) == rate


def film(path, *shapes):
    return write_mp4((np.full(shape, 200, np.uint8) for shape in shapes), path, Fraction(10))


def test_odd_pictures_get_even_sides(tmp_path):
    written = film(tmp_path / "odd.mp4", (331, 401, 3), (331, 401, 3))
    assert (written.width, written.height) == (402, 332)


def test_picture_that_changes_its_size_is_refused(tmp_path):
    with pytest.raises(VideoError, match="changed its picture"):
        film(tmp_path / "replay.mp4", (330, 400, 3), (400, 330, 3))


def fake_ffmpeg(tmp_path, monkeypatch, script):
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))


# imageio-ffmpeg leaves its end of the pipe to the garbage collector when the encoder died.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo 'av_write: No space left on device' >&2; exit 1", "The disk is full"),
        ("echo 'Unknown encoder libx264' >&2; exit 1", "ffmpeg could not write the replay: Unknown encoder libx264"),
        ('for last; do :; done; [ "$last" = - ] && exit 1; cat > "$last"', "does not play"),
    ],
)
def test_failing_encoder_is_a_sentence_and_leaves_the_old_film(tmp_path, monkeypatch, script, sentence):
    path = tmp_path / "videos" / "replay.mp4"
    path.parent.mkdir()
    path.write_bytes(b"earlier")
    fake_ffmpeg(tmp_path, monkeypatch, script)
    with pytest.raises(VideoError, match=sentence):
        film(path, *[(330, 400, 3)] * 20)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == {"replay.mp4": b"earlier"}


def test_encoder_that_drops_frames_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(imageio_ffmpeg, "count_frames_and_secs", lambda _path: (1, 0.1))
    with pytest.raises(VideoError, match="should have 2 frames but has 1"):
        film(tmp_path / "replay.mp4", (330, 400, 3), (330, 400, 3))


def test_missing_encoder_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "nothing"))
    with pytest.raises(VideoError, match="There is no ffmpeg"):
        film(tmp_path / "replay.mp4", (330, 400, 3))


def test_folder_that_cannot_be_made_is_a_sentence(tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError, match="cannot be written"):
        film(tmp_path / "videos" / "replay.mp4", (330, 400, 3))


def test_notebook_player_holds_the_whole_film(replay):
    html = show_video(replay.path)._repr_html_()
    assert html.startswith("<video controls")
    assert "data:video/mp4;base64," in html


def test_showing_a_film_that_is_not_there_names_the_command(tmp_path):
    with pytest.raises(VideoError, match="record_video"):
        show_video(tmp_path / "replay.mp4")
