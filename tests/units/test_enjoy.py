"""`enjoy` and `record_video` play the agent of a run folder, loaded safely, under the protocol of its environment."""

import re
import shutil

import gymnasium as gym
import imageio_ffmpeg
import pytest
from stable_baselines3 import DQN

from rl_units import display, episodes
from rl_units.cli import main


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """A log folder as the Zoo leaves it, with an untrained agent."""
    folder = tmp_path_factory.mktemp("logs")
    env = gym.make("CartPole-v1")
    run = folder / "dqn" / "CartPole-v1_1"
    run.mkdir(parents=True)
    DQN("MlpPolicy", env, buffer_size=1, seed=0, device="cpu").save(run / "CartPole-v1.zip")
    env.close()
    return folder


@pytest.fixture
def flags(logs):
    return ["--algo", "dqn", "--env", "CartPole-v1", "-f", str(logs)]


def test_every_game_and_the_mean_are_printed(flags, capsys):
    assert main(["enjoy", *flags, "--no-render", "-n", "60"]) == 0
    printed = capsys.readouterr().out
    games = [float(value) for value in re.findall(r"Game \d+: return ([\d.]+)", printed)]
    assert len(games) >= 2
    assert f"{len(games)} games, mean return {sum(games) / len(games):.2f} +/-" in printed


def test_same_seed_plays_the_same_games(flags, capsys):
    main(["enjoy", *flags, "--no-render", "-n", "40", "--seed", "3"])
    first = capsys.readouterr().out
    main(["enjoy", *flags, "--no-render", "-n", "40", "--seed", "3", "--deterministic"])
    assert capsys.readouterr().out == first


def test_too_few_decisions_for_a_game_are_explained(flags, capsys):
    assert main(["enjoy", *flags, "--no-render", "-n", "2"]) == 0
    assert "No game ended within 2 decisions" in capsys.readouterr().out


def test_interrupted_games_are_still_summed_up(flags, capsys, monkeypatch):
    step = episodes.EpisodePlayer.step
    played = []

    def interrupt(player, action):
        played.append(action)
        if len(played) == 30:
            raise KeyboardInterrupt
        return step(player, action)

    monkeypatch.setattr(episodes.EpisodePlayer, "step", interrupt)
    assert main(["enjoy", *flags, "--no-render"]) == 0
    assert "mean return" in capsys.readouterr().out


def test_window_without_a_screen_is_a_sentence(flags, capsys, monkeypatch):
    monkeypatch.setattr(display, "has_screen", lambda: False)
    monkeypatch.setattr(display.shutil, "which", lambda _program: None)
    assert main(["enjoy", *flags]) == 2
    assert "--no-render" in capsys.readouterr().err


def test_window_that_does_not_open_is_a_sentence(flags, capsys, monkeypatch):
    def refuse(_protocol, render_mode):
        raise RuntimeError(f"No available video device for {render_mode}")

    monkeypatch.setattr(display, "has_screen", lambda: True)
    monkeypatch.setattr(episodes, "EpisodePlayer", refuse)
    assert main(["enjoy", *flags]) == 2
    assert "No available video device for human. Play without one: --no-render" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["enjoy", "record_video"])
def test_missing_run_is_a_sentence(command, tmp_path, capsys):
    assert main([command, "--algo", "dqn", "--env", "CartPole-v1", "-f", str(tmp_path)]) == 2
    assert "has no trained runs" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["enjoy", "record_video", "push_to_hub"])
@pytest.mark.parametrize("wrong", [("--seed", "-1"), ("-n", "0"), ("-n", "many")])
def test_numbers_that_cannot_be_played_are_refused_at_once(command, wrong, flags, capsys):
    with pytest.raises(SystemExit) as exit_:
        main([command, *flags, *wrong])
    assert exit_.value.code == 2
    assert "must be" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["enjoy", "record_video"])
def test_missing_statistics_are_a_sentence(command, flags, logs, tmp_path, capsys):
    shutil.copytree(logs, tmp_path / "logs")
    parameters = tmp_path / "logs" / "dqn" / "CartPole-v1_1" / "CartPole-v1"
    parameters.mkdir()
    (parameters / "config.yml").write_text("normalize: true\n")
    assert main([command, *flags, "-f", str(tmp_path / "logs")]) == 2
    assert "its vecnormalize.pkl is missing" in capsys.readouterr().err


def test_recorded_film_is_where_the_command_says(flags, tmp_path, capsys):
    assert main(["record_video", *flags, "-o", str(tmp_path), "-n", "30", "--seed", "2", "--deterministic"]) == 0
    path = tmp_path / "dqn-CartPole-v1-seed-2.mp4"
    assert str(path) in capsys.readouterr().out.splitlines()
    frames, _ = imageio_ffmpeg.count_frames_and_secs(path)
    assert frames > 1


def test_films_are_kept_with_their_run_by_default(flags, logs):
    assert main(["record_video", *flags, "-n", "2"]) == 0
    assert (logs / "dqn" / "CartPole-v1_1" / "videos" / "dqn-CartPole-v1-seed-0.mp4").is_file()
