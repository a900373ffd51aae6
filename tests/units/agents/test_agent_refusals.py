"""Hostile and damaged agents are refused with a named reason, or load as plain weights; no payload ever runs."""

import io
import re

import numpy as np
import pytest
import safetensors.torch
import torch as th

from rl_units.agents import export_onnx, load_agent, save_agent
from rl_units.agents.archives import repack_tensors
from rl_units.environments import agent_spaces
from rl_units.errors import EvaluationError, UnsafeAgentError
from units.agents import hostile
from units.agents.cases import ALGORITHMS, CASES
from units.agents.hostile import Genuine, onnx_file, payload_in, pickled_keys
from units.agents.worlds import protocol_of, sample

PROTOCOL = protocol_of("vector", "discrete")
SAYS_WHAT_TO_DO = re.compile(r"Use |[Ee]xport it|Save the agent|[Tt]rain it|Train a|name one|Look at the name|can\.$")
# What SB3 2.9 pickles for DQN; a test below holds the list to what it really writes.
PICKLED_KEYS = [
    "policy_class", "observation_space", "action_space", "replay_buffer_class", "train_freq", "lr_schedule",
    "exploration_schedule",
]  # fmt: skip


@pytest.fixture(scope="module")
def genuine_zip(tmp_path_factory):
    path = tmp_path_factory.mktemp("genuine") / "agent.zip"
    CASES[0].save(path)
    return path


@pytest.fixture
def genuine(genuine_zip, tmp_path):
    (tmp_path / "agent").mkdir()
    return Genuine(genuine_zip, tmp_path / "agent", tmp_path / "marker")


def every(table):
    return pytest.mark.parametrize(("reason", "build"), table.values(), ids=list(table))


def assert_refused(reason, build, genuine):
    path = build(genuine)
    with pytest.raises(UnsafeAgentError) as refusal:
        load_agent(path, PROTOCOL)
    assert refusal.value.reason == reason
    assert SAYS_WHAT_TO_DO.search(str(refusal.value)), refusal.value
    assert not genuine.marker.exists()


@every(hostile.ZIPS)
def test_a_hostile_zip_is_refused(reason, build, genuine):
    assert_refused(reason, build, genuine)


@every(hostile.WEIGHTS)
def test_hostile_weights_are_refused(reason, build, genuine):
    assert_refused(reason, build, genuine)


@every(hostile.DATA)
def test_hostile_data_is_refused(reason, build, genuine):
    assert_refused(reason, build, genuine)


@every(hostile.NORMALIZATION)
def test_hostile_normalisation_is_refused(reason, build, genuine):
    assert_refused(reason, build, genuine)


@every(hostile.ONNX)
def test_a_hostile_graph_is_refused(reason, build, genuine):
    assert_refused(reason, build, genuine)


def test_the_list_of_pickled_keys_is_what_sb3_writes(genuine_zip):
    assert sorted(PICKLED_KEYS) == sorted(pickled_keys(genuine_zip))


@pytest.mark.parametrize("key", [*PICKLED_KEYS, "policy_kwargs", "key_that_nobody_knows"])
def test_code_in_data_is_never_decoded_and_the_weights_load(key, genuine):
    observations = sample(agent_spaces(PROTOCOL)[0], 5)
    expected = load_agent(genuine.zip, PROTOCOL).act(observations)
    agent = load_agent(genuine.rebuilt(data=payload_in(key, genuine.marker)), PROTOCOL)
    np.testing.assert_array_equal(agent.act(observations), expected)
    assert not genuine.marker.exists()


def test_the_payload_works_where_pickles_are_loaded(genuine):
    path = genuine.rebuilt(data=payload_in("key_that_nobody_knows", genuine.marker))
    ALGORITHMS["dqn"].load(path)
    assert genuine.marker.exists()


def test_a_refusal_cannot_steer_the_terminal(genuine):
    path = genuine.rebuilt(data=hostile.kwargs_of(**{"\x1b[2J" + "x" * 1000: 1}))
    with pytest.raises(UnsafeAgentError) as refusal:
        load_agent(path, PROTOCOL)
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 500


def test_another_algorithm_than_asked_for_is_refused(genuine):
    with pytest.raises(UnsafeAgentError, match="of dqn, not of ppo"):
        load_agent(genuine.zip, PROTOCOL, algo="ppo")


def test_an_algorithm_that_is_not_loaded_safely_is_refused(genuine):
    with pytest.raises(UnsafeAgentError, match="'tqc' cannot be loaded safely"):
        load_agent(genuine.zip, PROTOCOL, algo="tqc")


@pytest.mark.parametrize("world", [("vector", "box"), ("image", "discrete"), ("dict", "discrete")])
def test_an_agent_of_another_environment_is_refused(world, genuine):
    with pytest.raises(UnsafeAgentError) as refusal:
        load_agent(genuine.zip, protocol_of(*world))
    assert refusal.value.reason in ("does-not-fit", "wrong-weights")


SPECIFICATIONS = {
    "another version": (b'"format_version": 1', b'"format_version": 2', "unknown-format"),
    "version as truth": (b'"format_version": 1', b'"format_version": true', "unknown-format"),
    "another algorithm": (b'"dqn"', b'"tqc"', "unknown-algorithm"),
    "another policy": (b'"MlpPolicy"', b'"MyPolicy"', "unknown-policy"),
    "number for a name": (b'"MlpPolicy"', b"3", "bad-specification"),
    "list for the arguments": (b'"policy_kwargs": {}', b'"policy_kwargs": []', "bad-specification"),
    "unknown field": (b'"algo"', b'"code": "x", "algo"', "bad-specification"),
    "missing field": (b'"algo": "dqn",', b"", "bad-specification"),
    "weights of another network": (b'"policy_kwargs": {}', b'"policy_kwargs": {"net_arch": [8]}', "wrong-weights"),
}


@pytest.mark.parametrize(("old", "new", "reason"), SPECIFICATIONS.values(), ids=list(SPECIFICATIONS))
def test_a_hostile_specification_is_refused(old, new, reason, genuine):
    save_agent(load_agent(genuine.zip, PROTOCOL), genuine.folder)
    file = genuine.folder / "agent.json"
    assert old in file.read_bytes()
    file.write_bytes(file.read_bytes().replace(old, new))
    assert_refused(reason, lambda g: g.folder, genuine)


SAFETENSORS = {
    "garbage": (b"garbage", "damaged-weights"),
    "a header of exabytes": (b"\xff" * 8 + b"{}", "damaged-weights"),
    "NaN": (safetensors.torch.save({"q_net.x": th.tensor([float("nan")])}), "non-finite-weights"),
    "other names": (safetensors.torch.save({"q_net.x": th.zeros(3)}), "wrong-weights"),
    "integers": (safetensors.torch.save({"q_net.x": th.zeros(3, dtype=th.int64)}), "unsupported-tensor"),
}


@pytest.mark.parametrize(("content", "reason"), SAFETENSORS.values(), ids=list(SAFETENSORS))
def test_hostile_safetensors_are_refused(content, reason, genuine):
    save_agent(load_agent(genuine.zip, PROTOCOL), genuine.folder)
    (genuine.folder / "agent.safetensors").write_bytes(content)
    assert_refused(reason, lambda g: g.folder, genuine)


def test_weights_without_a_specification_are_refused(genuine):
    save_agent(load_agent(genuine.zip, PROTOCOL), genuine.folder)
    (genuine.folder / "agent.json").unlink()
    assert_refused("missing-file", lambda g: g.folder, genuine)


def test_a_network_that_overflows_is_not_played(genuine):
    huge = {"weights": lambda state: {name: th.full_like(tensor, 3e38) for name, tensor in state.items()}}
    agent = load_agent(genuine.rebuilt(**huge), PROTOCOL)
    with pytest.raises(EvaluationError, match="not finite"):
        agent.act(np.ones((1, 5), np.float32))


def test_a_graph_that_is_right_is_played(genuine):
    agent = load_agent(onnx_file(hostile.graph())(genuine), PROTOCOL)
    assert agent.act(np.ones((3, 5), np.float32)).tolist() == [0, 0, 0]


def test_a_graph_of_another_algorithm_than_asked_for_is_refused(genuine):
    with pytest.raises(UnsafeAgentError, match="of dqn, not of ppo"):
        load_agent(onnx_file(hostile.graph())(genuine), PROTOCOL, algo="ppo")


def test_a_graph_that_puts_out_fewer_scores_than_actions_is_not_played(genuine):
    agent = load_agent(onnx_file(hostile.graph(actions=3))(genuine), PROTOCOL)
    with pytest.raises(EvaluationError, match="put out the shape"):
        agent.act(np.ones((2, 5), np.float32))


def test_an_agent_of_switches_has_no_onnx_form(tmp_path):
    case = next(case for case in CASES if case.actions == "multi-binary")
    case.save(tmp_path / "agent.zip")
    with pytest.raises(UnsafeAgentError, match="MultiDiscrete and Box"):
        export_onnx(load_agent(tmp_path / "agent.zip", case.protocol), tmp_path / "agent.onnx")


def test_an_onnx_agent_cannot_be_saved_as_weights(genuine, tmp_path):
    agent = load_agent(onnx_file(hostile.graph())(genuine), PROTOCOL)
    with pytest.raises(UnsafeAgentError, match="can be played only"):
        save_agent(agent, tmp_path)


def test_a_genuine_policy_file_is_read_after_repacking(genuine_zip):
    content = hostile.members_of(genuine_zip)["policy.pth"]
    copy = th.load(io.BytesIO(repack_tensors(content, "policy.pth")), weights_only=True)
    original = th.load(io.BytesIO(content), weights_only=True)
    assert all(th.equal(copy[name], original[name]) for name in original)
