"""What ML-Agents exports is played as ML-Agents itself plays it, by onnxruntime alone; hostile files are refused."""

import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from mlagents_files import (
    declared,
    exported,
    external,
    nan_scores,
    pushed,
    random_scores,
    recording,
    renamed,
    shaped,
    with_operator,
)
from rl_units.agents import find_weights, load_agent, load_mlagents_onnx, save_agent
from rl_units.agents.mlagents_graph import REMEDY, read_mlagents_graph
from rl_units.agents.mlagents_policy import MlagentsPolicy
from rl_units.course import Protocol, load_course
from rl_units.environments import agent_spaces, register_environments
from rl_units.errors import EvaluationError, UnsafeAgentError
from rl_units.evaluation import evaluate

FIGHT = load_course().assignment_for("SnowballFight-v0").protocol
CART_POLE = Protocol("cart-pole", 1, "CartPole-v1")
PLAYED = ["cart-pole", "continuous", "discrete", "hybrid", "normalized", "one-observation", "picture", "squashed"]
SENSORS = spaces.Box(-1, 1, (129,), np.float32)
CHOICES = spaces.MultiDiscrete([3, 3, 3, 2])


@pytest.fixture
def write(tmp_path):
    """Writes a model of ML-Agents, changed or not, and gives its path."""

    def written(name, *changes, called="Behavior.onnx"):
        (tmp_path / called).write_bytes(exported(name, *changes))
        return tmp_path / called

    return written


def policy_of(name, *, deterministic=True):
    return MlagentsPolicy(read_mlagents_graph(exported(name), name, deterministic=deterministic), deterministic)


def refusal_of(load):
    with pytest.raises(UnsafeAgentError) as refusal:
        load()
    return refusal.value


@pytest.mark.parametrize("name", PLAYED)
def test_the_actions_are_those_of_ml_agents_own_policy(name):
    expected = recording(name)

    continuous, discrete = policy_of(name).act(expected.observations, expected.masks)

    assert len(np.unique(expected.discrete, axis=0)) > 1 or not expected.discrete.size
    np.testing.assert_array_equal(discrete, expected.discrete)
    # ML-Agents leaves SAC's deterministic actions without their tangent.
    np.testing.assert_allclose(continuous, np.clip(expected.continuous, -1, 1), atol=1e-6)


@pytest.mark.parametrize("name", ["discrete", "one-observation", "normalized"])
def test_sensors_are_taken_out_of_one_array_in_their_order(name, write):
    expected = recording(name)
    agent = load_mlagents_onnx(write(name), SENSORS, CHOICES)

    np.testing.assert_array_equal(agent.act(expected.row, expected.masks), expected.discrete)


@pytest.mark.parametrize("keys", [("obs_1", "obs_0"), ("first", "second")])
def test_a_dictionary_is_taken_by_the_names_of_the_graph_or_else_in_its_order(keys, write):
    expected = recording("continuous")
    observations = dict(zip(sorted(keys), expected.observations, strict=True))
    entries = {key: spaces.Box(-1, 1, observations[key].shape[1:], np.float32) for key in keys}
    agent = load_mlagents_onnx(write("continuous"), spaces.Dict(entries), spaces.Box(-1, 1, (2,), np.float32))

    np.testing.assert_allclose(agent.act(observations), expected.continuous, atol=1e-6)


def test_an_action_mask_among_the_observations_is_none_of_them(write):
    given = recording("cart-pole")
    space = spaces.Dict({"action_mask": spaces.MultiBinary(2), "seen": spaces.Box(-1, 1, (4,), np.float32)})
    agent = load_mlagents_onnx(write("cart-pole"), space, spaces.Discrete(2))

    chosen = agent.act({"action_mask": np.array([[0, 1]] * len(given.masks)), "seen": given.observations[0]})

    assert chosen.tolist() == [1] * len(given.masks)


def test_a_picture_of_bytes_is_seen_from_0_to_1(write):
    entries = {"obs_0": spaces.Box(0, 255, (1, 20, 20), np.uint8), "obs_1": spaces.Box(-1, 1, (4,), np.float32)}
    agent = load_mlagents_onnx(write("picture"), spaces.Dict(entries), spaces.Discrete(3))
    picture = np.random.default_rng(0).integers(0, 256, (30, 1, 20, 20), np.uint8)
    position = np.zeros((30, 4), np.float32)

    chosen = agent.act({"obs_0": picture, "obs_1": position})

    np.testing.assert_array_equal(chosen, agent.policy.act([picture / 255, position])[1][:, 0])


def test_continuous_actions_stand_for_the_bounds_of_the_environment(write):
    given = recording("continuous")
    bounds = np.array([-2, 0], np.float32), np.array([2, np.inf], np.float32)
    seen = spaces.Box(-1, 1, (8,), np.float32)
    agent = load_mlagents_onnx(write("continuous"), seen, spaces.Box(*bounds, dtype=np.float32))

    actions = agent.act(given.row)

    np.testing.assert_allclose(actions[:, 0], 2 * given.continuous[:, 0], atol=1e-6)
    np.testing.assert_allclose(actions[:, 1], np.maximum(given.continuous[:, 1], 0), atol=1e-6)


@pytest.mark.parametrize("name", PLAYED)
def test_an_action_is_the_same_in_every_batch(name):
    policy, given = policy_of(name), recording(name)
    together = policy.act(given.observations, given.masks)

    for row in range(len(given.masks)):
        here = slice(row, row + 1)
        alone = policy.act([array[here] for array in given.observations], given.masks[here])
        for one, all_of_them in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one, all_of_them[here])


@pytest.mark.parametrize("deterministic", [True, False])
def test_what_a_mask_forbids_is_never_chosen(deterministic):
    given = recording("hybrid")
    forbidden = np.array([[0, 0, 1, 1, 0]] * len(given.masks))

    chosen = policy_of("hybrid", deterministic=deterministic).act(given.observations, forbidden)[1]

    assert chosen.tolist() == [[2, 0]] * len(given.masks)


def test_sampled_actions_vary_and_are_actions(write):
    agent = load_mlagents_onnx(write("discrete"), SENSORS, CHOICES, deterministic=False)
    row = np.repeat(recording("discrete").row[:1], 200, axis=0)

    actions = agent.act(row)

    assert len(np.unique(actions, axis=0)) > 1
    assert all(action in CHOICES for action in actions)


def test_sampled_continuous_actions_vary_around_the_deterministic_ones(write):
    path, space = write("continuous"), spaces.Box(-1, 1, (2,), np.float32)
    box = spaces.Box(-1, 1, (8,), np.float32)
    row = np.repeat(recording("continuous").row[:1], 400, axis=0)

    sampled = load_mlagents_onnx(path, box, space, deterministic=False).act(row)
    likeliest = load_mlagents_onnx(path, box, space).act(row)

    assert (np.ptp(likeliest, axis=0) == 0).all()
    assert (np.ptp(sampled, axis=0) > 0.2).all()
    np.testing.assert_allclose(sampled.mean(axis=0), likeliest[0], atol=0.1)


def test_arrays_of_other_shapes_are_named():
    given = recording("hybrid")
    with pytest.raises(EvaluationError, match=r"obs_0 \(n, 5\), obs_1 \(n, 3\), action_masks \(n, 5\)\.$"):
        policy_of("hybrid").act(given.observations, given.masks[:, 1:])


def test_an_agent_goes_to_another_process_without_its_session(write):
    agent = load_mlagents_onnx(write("discrete"), SENSORS, CHOICES)
    given = recording("discrete")

    again = pickle.loads(pickle.dumps(agent))

    np.testing.assert_array_equal(again.act(given.row, given.masks), given.discrete)
    assert again.sha256 == agent.sha256


def test_a_pushed_run_is_evaluated_in_snowball_fight_however_many_games_run_abreast(tmp_path):
    for name, content in pushed("SnowballFight", exported("discrete")).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    agent = load_agent(tmp_path, FIGHT, algo="mlagents")
    short = Protocol("short", 1, FIGHT.env_id, n_episodes=4, max_episode_steps=40, opponents=FIGHT.opponents)

    result = evaluate(agent, short, n_envs=4)

    assert result.algo == "mlagents"
    assert result.returns == evaluate(agent, short, n_envs=1).returns


def test_an_agent_of_ml_agents_is_an_opponent(write):
    register_environments()
    agent = load_agent(write("discrete"), FIGHT)
    fights = [gym.make("SnowballFight-v0", opponent=opponent) for opponent in (agent.act, "still")]
    for fight in fights:
        fight.reset(seed=3)

    # Forward, turning: sooner or later the opponent is seen where one that stands still is not.
    seen = [[fight.step(np.array([1, 0, 1, 0]))[0] for _ in range(200)] for fight in fights]

    assert not np.array_equal(*seen)


def test_the_course_knows_snowball_fight_by_its_name_in_ml_agents():
    assert load_course().assignment_for("SnowballFight").env_id == "SnowballFight-v0"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["Fight.onnx"], "Fight.onnx"),
        (["Other.onnx", "SnowballFight.onnx"], "SnowballFight.onnx"),
        (["SnowballFight.onnx", "agent.onnx"], "agent.onnx"),
        (["SnowballFight.onnx", "ppo.zip"], "ppo.zip"),
        (["SnowballFight.onnx", ".SnowballFight-tmp.onnx"], "SnowballFight.onnx"),
    ],
)
def test_which_of_several_files_holds_the_agent(files, found, tmp_path):
    for name in files:
        (tmp_path / name).touch()

    assert find_weights(tmp_path, "SnowballFight-v0").name == found


def test_several_behaviours_are_not_guessed_between(tmp_path):
    for name in ("Goalie.onnx", "Striker.onnx"):
        (tmp_path / name).touch()

    refusal = refusal_of(lambda: load_agent(tmp_path, FIGHT))

    assert refusal.reason == "ambiguous-folder"
    assert "Goalie.onnx, Striker.onnx; name one." in str(refusal)


def test_statistics_of_another_library_in_the_folder_change_nothing(write, tmp_path):
    expected = recording("cart-pole")
    agent = load_agent(write("cart-pole"), CART_POLE)
    (tmp_path / "vec_normalize.json").write_text(
        '{"format_version": 1, "mean": {"": [9, 9, 9, 9]}, "var": {"": [1, 1, 1, 1]}, "epsilon": 1e-8, '
        '"clip_obs": 10, "norm_obs_keys": null}'
    )

    again = load_agent(tmp_path, CART_POLE)

    np.testing.assert_array_equal(again.act(expected.row), agent.act(expected.row))


@pytest.mark.parametrize("called", ["agent.onnx", "CartPole.onnx"])
def test_it_is_known_by_what_it_holds_and_not_by_its_name(called, write):
    assert load_agent(write("cart-pole", called=called), CART_POLE).algo == "mlagents"


def test_another_algorithm_than_asked_for_is_refused(write):
    path = write("cart-pole")
    assert refusal_of(lambda: load_agent(path, CART_POLE, algo="ppo")).reason == "other-algorithm"


def test_it_has_no_weights_of_sb3(write, tmp_path):
    agent = load_agent(write("cart-pole"), CART_POLE)
    assert refusal_of(lambda: save_agent(agent, tmp_path)).reason == "no-weights"


HOSTILE = {
    "garbage": ("damaged-onnx", lambda graph: graph.ClearField("node")),
    "weights in another file": ("external-data", external),
    "lots for the deterministic action": ("unknown-operator", random_scores),
    "an operator of one's own": ("unknown-operator", with_operator("Sigmoid", "mine")),
    "a loop": ("unknown-operator", with_operator("Loop")),
    "an operator that fits nothing": ("damaged-onnx", with_operator("Conv")),
    "an operator on nothing": ("does-not-fit", lambda graph: [node.ClearField("input") for node in graph.node]),
    "no actions": ("does-not-fit", lambda graph: graph.ClearField("output")),
    "a memory": ("recurrent-network", renamed("discrete_action_output_shape", "recurrent_out")),
    "observations of an older release": ("does-not-fit", renamed("obs_0", "vector_observation")),
    "no deterministic actions": ("does-not-fit", renamed("deterministic_discrete_actions", "actions")),
    "no size of its actions": ("does-not-fit", renamed("discrete_action_output_shape", "shape")),
    "other observations": ("does-not-fit", shaped("obs_0", "n", 5)),
    "batches of one": ("does-not-fit", shaped("obs_0", 1, 4)),
    "masks of another width": ("does-not-fit", shaped("action_masks", "n", 3)),
    "more choices": ("does-not-fit", declared("discrete_action_output_shape", [3])),
    "half a choice": ("does-not-fit", declared("discrete_action_output_shape", [1.5])),
    "choices that are no number": ("does-not-fit", declared("discrete_action_output_shape", [float("nan")])),
    "a billion choices": ("does-not-fit", declared("discrete_action_output_shape", [1e9])),
    "two actions": ("does-not-fit", declared("discrete_action_output_shape", [2, 2])),
}


@pytest.mark.parametrize(("reason", "change"), HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_file_is_refused_with_what_to_do(reason, change, write):
    path = write("cart-pole", change)

    refusal = refusal_of(lambda: load_mlagents_onnx(path, *agent_spaces(CART_POLE)))

    assert refusal.reason == reason
    assert any(words in str(refusal) for words in ("Use the .onnx that", "Export it again", "Train it again", "use it"))


def test_a_network_with_a_memory_is_refused(write):
    path = write("recurrent")
    refusal = refusal_of(lambda: load_mlagents_onnx(path, SENSORS, CHOICES))

    assert refusal.reason == "recurrent-network"
    assert "Train it again without `memory`" in str(refusal)


@pytest.mark.parametrize(
    ("name", "observations", "actions"),
    [
        ("discrete", spaces.Box(-1, 1, (130,), np.float32), CHOICES),
        ("discrete", spaces.Discrete(129), CHOICES),
        ("picture", spaces.Box(0, 255, (20, 20, 1), np.uint8), spaces.Discrete(3)),
        ("discrete", SENSORS, spaces.MultiDiscrete([3, 3, 2, 3])),
        ("discrete", SENSORS, spaces.Discrete(11)),
        ("discrete", SENSORS, spaces.MultiBinary(4)),
        ("discrete", SENSORS, spaces.Box(-1, 1, (4,), np.float32)),
        ("discrete", spaces.Dict({"all": SENSORS}), CHOICES),
        ("continuous", spaces.Box(-1, 1, (8,), np.float32), spaces.Box(-1, 1, (3,), np.float32)),
        ("continuous", spaces.Box(-1, 1, (8,), np.float32), spaces.Discrete(2)),
        ("hybrid", spaces.Box(-1, 1, (8,), np.float32), spaces.MultiDiscrete([3, 2])),
    ],
)
def test_an_agent_for_another_environment_is_refused(name, observations, actions, write):
    path = write(name)
    refusal = refusal_of(lambda: load_mlagents_onnx(path, observations, actions))

    assert refusal.reason == "does-not-fit"
    assert str(refusal).endswith(f". {REMEDY}")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ([nan_scores], "not finite"),
        ([declared("discrete_action_output_shape", [3]), shaped("action_masks", "n", 3)], "failed|put out the shapes"),
    ],
)
def test_what_goes_wrong_in_play_is_no_action(changes, sentence, write):
    graph = read_mlagents_graph(exported("cart-pole", *changes), "CartPole.onnx")
    with pytest.raises(EvaluationError, match=sentence):
        MlagentsPolicy(graph).act(recording("cart-pole").observations)
