"""`train --self-play`, from the command line to a resumed run."""

import csv

import pytest
import yaml

from rl_units import cli
from rl_units.agents import load_agent
from rl_units.course import load_course
from rl_units.environments import register_environments
from rl_units.errors import ConfigError
from rl_units.self_play.settings import ENV_ID, SelfPlay, load_settings, save_settings
from snowball_fight.opponents import RATINGS

RUN = ["--algo", "ppo", "--env", ENV_ID, "--self-play", "--no-progress", "--num-threads", "1", "--eval-freq", "-1"]
STEPS = ["--save-steps", "128", "--swap-steps", "128", "--rating-steps", "256", "--window", "3"]


def hyperparameters(path, **changes):
    settings = {"n_envs": 8, "n_timesteps": 512, "policy": "MlpPolicy", "n_steps": 16, "batch_size": 64}
    path.write_text(yaml.safe_dump({ENV_ID: {**settings, "policy_kwargs": "dict(net_arch=[8])", **changes}}))
    return ["-c", str(path)]


def ratings(run):
    with (run / "ratings.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of 512 steps."""
    folder = tmp_path_factory.mktemp("self-play")
    configuration = hyperparameters(folder / "ppo.yml")
    assert cli.main(["train", *RUN, *STEPS, *configuration, "-f", str(folder / "logs")]) == 0
    return folder / "logs" / "ppo" / f"{ENV_ID}_1"


def test_a_run_leaves_an_agent_past_selves_and_ratings_against_every_fixed_opponent(run):
    register_environments()
    protocol = load_course().assignment_for(ENV_ID).protocol

    assert load_agent(run / f"{ENV_ID}.zip", protocol).algo == "ppo"
    assert sorted(int(path.stem) for path in (run / "past_selves").iterdir()) == [128, 256, 384]
    assert [int(row["steps"]) for row in ratings(run)] == [256, 512]
    assert all(0 <= float(row[name]) <= 1 for row in ratings(run) for name in RATINGS)


def test_a_resumed_run_keeps_its_settings_and_goes_on(run):
    before = ratings(run)
    logs = run.parents[1]

    assert cli.main(["train", *RUN, "--resume", "-n", "768", "-f", str(logs)]) == 0

    assert [int(row["steps"]) for row in ratings(run)] == [256, 512, 768]
    assert ratings(run)[:2] == before
    assert sorted(int(path.stem) for path in (run / "past_selves").iterdir()) == [384, 512, 640]


def test_normalised_and_stacked_observations_are_trained_on(tmp_path):
    configuration = hyperparameters(tmp_path / "ppo.yml", n_timesteps=256, normalize=True, frame_stack=2)

    assert cli.main(["train", *RUN, *STEPS, *configuration, "-f", str(tmp_path / "logs")]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--env", "CartPole-v1"], "Self-play is for SnowballFight-v0"),
        (["--latest-ratio", "1.5"], "share of games against the latest self is 0 to 1"),
    ],
    ids=["another-environment", "ratio"],
)
def test_what_cannot_play_against_itself_is_told(arguments, words, tmp_path, capsys):
    assert cli.main(["train", *RUN, *arguments, "-f", str(tmp_path)]) == 2
    assert words in capsys.readouterr().err


def test_an_environment_wrapper_is_refused(tmp_path, capsys):
    wrapper = "gymnasium.wrappers.FlattenObservation"
    configuration = hyperparameters(tmp_path / "ppo.yml", env_wrapper=wrapper)

    assert cli.main(["train", *RUN, *configuration, "-f", str(tmp_path / "logs")]) == 2
    assert "cannot have an env_wrapper" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["window", "save_steps", "swap_steps", "rating_steps"])
def test_settings_below_one_are_refused(name):
    with pytest.raises(ConfigError, match=name):
        SelfPlay(**{name: 0})


def test_settings_are_kept_with_the_run(tmp_path):
    assert load_settings(tmp_path) is None
    save_settings(SelfPlay(window=4), tmp_path)

    assert load_settings(tmp_path) == SelfPlay(window=4)
