"""The course manifest."""

import dataclasses
import math
from pathlib import Path

import pytest

from rl_units.course import Protocol, load_course
from rl_units.errors import ManifestError

MANIFEST = """
number = 1
title = "A unit"
notebook = "a_unit"

[hyperparameters]
dqn = "dqn.yml"

[protocols.plain]
version = 1

[[assignments]]
id = "first"
title = "First"
env_id = "CartPole-v1"
threshold = 100.0
required = true
protocol = "plain"
aliases = ["CartPole-v0"]
"""


def write_unit(content: Path, text: str, name: str = "unit1") -> Path:
    folder = content / name
    folder.mkdir(parents=True)
    (folder / "unit.toml").write_text(text)
    (folder / "dqn.yml").write_text("default: {}\n")
    return content


def test_unit_3_asks_for_200_on_space_invaders():
    assignment = load_course().assignment_for("SpaceInvadersNoFrameskip-v4")

    assert assignment is not None
    assert (assignment.threshold, assignment.required) == (200.0, True)


@pytest.mark.parametrize("game", ["BeamRider", "Breakout", "Enduro", "Pong"])
def test_the_other_games_are_open_challenges(game):
    assignment = load_course().assignment_for(f"{game}NoFrameskip-v4")

    assert assignment is not None
    assert (assignment.threshold, assignment.required) == (None, False)


def test_every_game_is_scored_on_50_full_games_in_the_zoos_wrapping():
    for assignment in load_course().unit("unit3_dqn_atari").assignments:
        protocol = assignment.protocol
        assert (protocol.preprocessing, protocol.frame_stack, protocol.n_episodes) == ("atari", 4, 50)
        assert (protocol.action_mode, protocol.epsilon, protocol.max_episode_steps) == ("epsilon_greedy", 0.01, 108_000)
        assert len(set(protocol.public_seeds)) == 50


def test_the_units_hyperparameters_are_found_by_algorithm_and_environment():
    path = load_course().hyperparameters_for("dqn", "PongNoFrameskip-v4")

    assert path is not None
    assert path.name == "dqn.yml"
    assert load_course().hyperparameters_for("ppo", "PongNoFrameskip-v4") is None
    assert load_course().hyperparameters_for("dqn", "CartPole-v1") is None


def test_an_alias_counts_as_the_environment(tmp_path):
    course = load_course(write_unit(tmp_path, MANIFEST))

    assert course.assignment_for("CartPole-v0") is course.assignment_for("CartPole-v1")


def test_a_folder_more_is_a_unit_more(tmp_path):
    write_unit(tmp_path, MANIFEST)
    second = MANIFEST.replace("number = 1", "number = 2").replace('"first"', '"second"').replace("CartPole", "Acrobot")
    write_unit(tmp_path, second, "unit2")

    assert [unit.number for unit in load_course(tmp_path).units] == [1, 2]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("number = 1", "number = ", "not a unit manifest"),
        ('title = "A unit"\n', "", "not a unit manifest"),
        ('protocol = "plain"', 'protocol = "other"', "not a unit manifest"),
        ("version = 1", "version = 0", "version must be at least 1"),
        ("version = 1", "version = 1\nepsilon = 0.1", "epsilon goes with"),
        ("version = 1", "version = 1\nn_episodes = 0", "n_episodes must be at least 1"),
        ("version = 1", "version = 1\nunknown = 0", "not a unit manifest"),
        ("threshold = 100.0", "threshold = nan", "finite"),
        ('dqn = "dqn.yml"', 'dqn = "missing.yml"', "does not exist"),
        ('["CartPole-v0"]', '["CartPole-v1"]', "more than once"),
    ],
)
def test_a_wrong_manifest_is_refused_with_a_sentence(tmp_path, old, new, sentence):
    assert old in MANIFEST
    with pytest.raises(ManifestError, match=sentence):
        load_course(write_unit(tmp_path, MANIFEST.replace(old, new)))


def test_an_unknown_unit_names_those_that_there_are():
    with pytest.raises(ManifestError, match="unit3_dqn_atari"):
        load_course().unit("unit99")


def test_a_score_passes_from_the_threshold_on():
    assignment = load_course().assignment_for("SpaceInvadersNoFrameskip-v4")

    assert assignment is not None
    assert assignment.passed_by(200.0)
    assert not assignment.passed_by(199.99)
    assert not assignment.passed_by(math.inf)
    assert dataclasses.replace(assignment, threshold=None).passed_by(-5.0)


def test_a_protocol_of_nothing_but_an_environment_is_deterministic():
    assert Protocol("x", 1, "CartPole-v1").epsilon == 0


DUEL = Protocol("duel", 1, "CartPole-v1", n_episodes=8, opponents=("weak", "strong"), first_public_seed=50)


def test_both_games_of_a_pair_have_one_seed_and_the_seats_swapped():
    assert DUEL.public_seeds == (50, 50, 52, 52, 54, 54, 56, 56)
    assert [DUEL.reset_options(index)["seat"] for index in range(8)] == [0, 1] * 4


def test_opponents_come_in_turn_a_pair_of_games_each():
    opponents = [DUEL.reset_options(index)["opponent"] for index in range(8)]

    assert opponents == ["weak", "weak", "strong", "strong"] * 2


def test_an_agent_that_plays_alone_has_no_options_and_a_seed_for_each_game():
    alone = dataclasses.replace(DUEL, opponents=())

    assert alone.reset_options(3) is None
    assert alone.paired(alone.public_seeds) == tuple(range(50, 58))


@pytest.mark.parametrize("n_episodes", [7, 6, 2])
def test_games_that_are_no_whole_pairs_against_every_opponent_are_refused(n_episodes):
    with pytest.raises(ManifestError, match="multiple of 4, a pair of games"):
        dataclasses.replace(DUEL, n_episodes=n_episodes)


def test_opponents_are_read_from_the_manifest(tmp_path):
    text = MANIFEST.replace("version = 1", 'version = 1\nn_episodes = 4\nopponents = ["weak", "strong"]')

    (assignment,) = load_course(write_unit(tmp_path, text)).assignments

    assert assignment.protocol.opponents == ("weak", "strong")
