"""What agents that learn nothing score, and the file that boards read it from."""

import dataclasses
import json

import numpy as np
import pytest
from gymnasium import spaces

from rl_units import results
from rl_units.baseline_agents import NoOpAgent, RandomAgent, main, no_op, play_baseline
from rl_units.baselines import FILE_NAME, NAMES, load_baselines, save_baselines
from rl_units.course import Protocol, load_course
from rl_units.environments import sample_action
from rl_units.errors import EvaluationError, ManifestError
from rl_units.evaluation import evaluate

UNITS = load_course().units
CARTPOLE = Protocol("cart-pole", 1, "CartPole-v1", n_episodes=6)
PENDULUM = Protocol("pendulum", 1, "Pendulum-v1", n_episodes=2)

MANIFEST = """
number = 1
title = "A unit"
notebook = "a_unit"

[hyperparameters]

[protocols.plain]
version = 1
n_episodes = 3

[[assignments]]
id = "cart-pole"
title = "Cart Pole"
env_id = "CartPole-v1"
required = true
protocol = "plain"

[[assignments]]
id = "pendulum"
title = "Pendulum"
env_id = "Pendulum-v1"
required = false
protocol = "plain"
"""

SPACES = {
    "discrete": (spaces.Discrete(4), 0),
    "discrete from 3": (spaces.Discrete(4, start=3), 3),
    "discrete around 0": (spaces.Discrete(3, start=-1), 0),
    "multi-discrete": (spaces.MultiDiscrete([3, 4]), [0, 0]),
    "multi-discrete from 1": (spaces.MultiDiscrete([3, 4], start=[1, -2]), [1, 0]),
    "multi-binary": (spaces.MultiBinary(3), [0, 0, 0]),
    "box": (spaces.Box(-1.0, 1.0, (2,), np.float32), [0.0, 0.0]),
    "box without 0": (spaces.Box(np.float32(0.5), np.float32(2.0), (2,), np.float32), [0.5, 0.5]),
}

every_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.id)
every_space = pytest.mark.parametrize(("space", "nothing"), SPACES.values(), ids=SPACES)


@pytest.fixture
def content(tmp_path):
    """A course of one small unit with two assignments."""
    folder = tmp_path / "unit1"
    folder.mkdir()
    (folder / "unit.toml").write_text(MANIFEST)
    return tmp_path


@pytest.fixture
def unit(content):
    return load_course(content).units[0]


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """The file of the small unit, played once."""
    content = tmp_path_factory.mktemp("played")
    (content / "unit1").mkdir()
    (content / "unit1" / "unit.toml").write_text(MANIFEST)
    assert main([], content) == 0
    return json.loads((content / "unit1" / FILE_NAME).read_text())


def write(unit, document):
    (unit.folder / FILE_NAME).write_text(document if isinstance(document, str) else json.dumps(document))


@every_space
def test_doing_nothing_is_the_action_closest_to_zero(space, nothing):
    action = no_op(space)

    assert np.array_equal(action, nothing)
    assert space.contains(action)


@every_space
def test_both_agents_answer_every_observation_with_an_action_of_the_space(space, nothing):
    observations = np.zeros((3, 5), np.float32)
    for agent in (RandomAgent(space, 0), NoOpAgent(space)):
        actions = agent.act(observations)
        assert len(actions) == 3
        assert all(space.contains(action) for action in actions)


@every_space
def test_a_random_action_depends_on_the_seed_and_the_decision_not_on_the_batch(space, nothing):
    alone, abreast = RandomAgent(space, 7), RandomAgent(space, 7)
    for _ in range(20):
        action = alone.act(np.zeros((1, 5)))[0]
        assert all(np.array_equal(action, other) for other in abreast.act(np.zeros((16, 5))))


def test_observations_may_be_dictionaries():
    assert len(NoOpAgent(spaces.Discrete(2)).act({"a": np.zeros((4, 2)), "b": np.zeros((4, 1))})) == 4


def test_random_actions_are_uniform_over_the_space():
    agent = RandomAgent(spaces.Discrete(4), 0)
    counts = np.bincount([int(agent.act(np.zeros((1, 5)))[0]) for _ in range(4000)])

    assert np.all(np.abs(counts - 1000) < 150)


def test_random_actions_are_not_those_of_the_protocols_coins():
    space = spaces.Discrete(1_000_000)
    coins = np.random.default_rng([5, 1])

    assert RandomAgent(space, 5).act(np.zeros((1, 5)))[0] != sample_action(space, coins)


def test_an_action_space_of_another_kind_is_refused_with_a_sentence():
    with pytest.raises(EvaluationError, match="Doing nothing is not defined"):
        NoOpAgent(spaces.Text(3))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("protocol", [CARTPOLE, PENDULUM], ids=lambda protocol: protocol.id)
def test_a_baseline_plays_the_public_seeds_and_can_be_played_again(name, protocol):
    result = play_baseline(name, protocol)

    assert (result.algo, result.protocol_id, result.protocol_version) == (name, protocol.id, 1)
    assert result.seeds == protocol.public_seeds
    assert result.n_episodes == protocol.n_episodes
    assert play_baseline(name, protocol).returns == result.returns


def test_an_episode_depends_on_its_seed_alone():
    all_six = play_baseline("random", CARTPOLE)
    last = play_baseline("random", dataclasses.replace(CARTPOLE, first_public_seed=1005, n_episodes=1))

    assert len(set(all_six.returns)) > 1
    assert last.returns == all_six.returns[-1:]


@pytest.mark.parametrize("n_envs", [1, 4])
def test_doing_nothing_scores_the_same_however_many_games_run_abreast(n_envs):
    agent = NoOpAgent(spaces.Discrete(2))

    assert evaluate(agent, CARTPOLE, n_envs=n_envs).returns == play_baseline("no-op", CARTPOLE).returns


def test_what_was_played_is_read_back(unit, document):
    write(unit, document)
    baselines = load_baselines(unit)

    assert [(baseline.assignment_id, baseline.name) for baseline in baselines] == [
        ("cart-pole", "random"),
        ("cart-pole", "no-op"),
        ("pendulum", "random"),
        ("pendulum", "no-op"),
    ]
    assert [baseline.title for baseline in baselines[:2]] == ["Random actions", "Doing nothing"]
    assert baselines[0].command == "python -m rl_units.baseline_agents cart-pole"
    assert baselines[0].result.returns == play_baseline("random", unit.assignments[0].protocol).returns
    assert baselines[0].result.versions["gymnasium"]


def test_the_file_has_a_line_for_all_returns_not_for_each(unit, document):
    write(unit, document)
    path = save_baselines(unit, load_baselines(unit))

    assert json.loads(path.read_text()) == document
    assert path.read_text().count("\n") < 40 * len(document["baselines"])


def test_one_assignment_can_be_played_alone(content, unit, document, capsys):
    others = [entry for entry in document["baselines"] if entry["protocol_id"] == "pendulum"]
    write(unit, {"baselines": others})

    assert main(["cart-pole"], content) == 0
    assert capsys.readouterr().out.startswith("Cart Pole, random actions: ")
    played = json.loads((unit.folder / FILE_NAME).read_text())["baselines"]
    assert [entry["returns"] for entry in played] == [entry["returns"] for entry in document["baselines"]]
    assert played[2:] == others


def test_playing_everything_replaces_a_damaged_file(content, unit):
    write(unit, "{")

    assert main([], content) == 0
    assert len(load_baselines(unit)) == 4


def test_an_unknown_assignment_names_those_that_there_are(content, capsys):
    assert main(["tetris"], content) == 2
    assert "There is no assignment tetris; there are: cart-pole, pendulum." in capsys.readouterr().err


def test_a_unit_without_the_file_has_no_baselines(unit):
    assert load_baselines(unit) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"protocol_version": 2},
        {"protocol_id": "other"},
        {"env_id": "CartPole-v0"},
        {"seeds": [0, 1, 2]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_was_played_under_another_protocol_is_ignored(unit, document, change):
    first, *others = document["baselines"]
    write(unit, {"baselines": [first | change, *others]})

    assert next((baseline.assignment_id, baseline.name) for baseline in load_baselines(unit)) == ("cart-pole", "no-op")


def test_derived_numbers_are_computed_again_from_the_episodes(unit, document):
    first = document["baselines"][0]
    write(unit, {"baselines": [first | {"score": 9e9, "mean_reward": 9e9}]})

    assert load_baselines(unit)[0].result.score == results.score(first["returns"])


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", '"many"', "null"])
def test_a_return_that_is_no_finite_number_is_refused(unit, document, number):
    write(
        unit,
        json.dumps({"baselines": [document["baselines"][0] | {"returns": [1.0, 2.0, "?"]}]}).replace('"?"', number),
    )

    with pytest.raises(ManifestError, match=r"does not hold baselines: .* make baselines"):
        load_baselines(unit)


@pytest.mark.parametrize(
    "change",
    [
        {"algo": "dqn"},
        {"command": 3},
        {"returns": []},
        {"returns": [1.0]},
        {"returns": None},
        {"epsilon": "none"},
        {"versions": 3},
        {"protocol_version": "one"},
    ],
    ids=str,
)
def test_a_malformed_entry_is_refused(unit, document, change):
    write(unit, {"baselines": [document["baselines"][0] | change]})

    with pytest.raises(ManifestError, match="does not hold baselines"):
        load_baselines(unit)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", "null", '{"baselines": 3}', '{"baselines": [3]}', '{"baselines": [{}]}', "[" * 100_000],
)
def test_a_malformed_file_is_refused(unit, text):
    write(unit, text)

    with pytest.raises(ManifestError, match=r"baselines\.json does not hold baselines"):
        load_baselines(unit)


def test_a_file_that_cannot_be_read_is_refused(unit):
    (unit.folder / FILE_NAME).write_bytes(b"\xff\xfe")

    with pytest.raises(ManifestError, match="cannot be read"):
        load_baselines(unit)


def test_a_baseline_that_stands_twice_is_refused(unit, document):
    write(unit, {"baselines": document["baselines"][:1] * 2})

    with pytest.raises(ManifestError, match="more than once"):
        load_baselines(unit)


@every_unit
def test_every_board_of_the_course_has_both_baselines_under_the_current_protocol(unit):
    """When this fails after a change of a protocol: make baselines."""
    found = {(baseline.assignment_id, baseline.name) for baseline in load_baselines(unit)}

    assert found == {(assignment.id, name) for assignment in unit.assignments for name in NAMES}


@every_unit
def test_the_kept_scores_are_those_of_the_kept_games(unit):
    for entry in json.loads((unit.folder / FILE_NAME).read_text())["baselines"]:
        assert entry["mean_reward"] == results.mean(entry["returns"])
        assert entry["std_reward"] == results.std(entry["returns"])
        assert entry["score"] == results.score(entry["returns"])


def test_a_kept_game_can_be_played_again():
    unit = load_course().unit("unit3_dqn_atari")
    for baseline in load_baselines(unit)[:2]:
        protocol = dataclasses.replace(unit.assignments[0].protocol, n_episodes=1)
        again = play_baseline(baseline.name, protocol)
        assert (again.returns, again.lengths) == (baseline.result.returns[:1], baseline.result.lengths[:1])


@every_unit
def test_learning_nothing_does_not_pass(unit):
    for baseline in load_baselines(unit):
        assignment = next(a for a in unit.assignments if a.id == baseline.assignment_id)
        assert assignment.threshold is None or not assignment.passed_by(baseline.result.score)
