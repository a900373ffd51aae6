"""Whatever a file holds, its reader raises nothing but a sentence for the person at the keyboard."""

import json
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rl_units.agents.architecture import ALGORITHMS
from rl_units.agents.documents import parse_json
from rl_units.agents.network_size import check_size
from rl_units.agents.normalization import NormalizationStatistics
from rl_units.agents.normalization_pickle import read_vec_normalize_pickle
from rl_units.agents.onnx_graph import check_graph
from rl_units.agents.specification import AgentSpec
from rl_units.agents.weights import read_pth, read_safetensors
from rl_units.errors import UnsafeAgentError, UserError
from units.agents.worlds import ACTIONS, OBSERVATIONS

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(string.printable, max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
READERS = [AgentSpec.from_json, NormalizationStatistics.from_json, lambda content: parse_json(content, "file")]


def document(fields):
    """A JSON object of the right fields with any values."""
    return st.fixed_dictionaries(dict.fromkeys(fields, values)).map(lambda table: json.dumps(table).encode())


def read(reader, content):
    try:
        reader(content)
    except UserError as error:
        assert len(str(error)) > 10  # noqa: PT017 # any outcome but another exception is right


@pytest.mark.parametrize("reader", READERS)
@given(content=st.binary(max_size=60) | values.map(lambda value: json.dumps(value).encode()))
def test_json_readers_take_any_content(reader, content):
    read(reader, content)


@given(document(["algo", "policy", "env_id", "policy_kwargs", "format_version"]))
@example(b'{"algo":"ppo","policy":"MlpPolicy","env_id":"a","format_version":1,"policy_kwargs":{"net_arch":{"pi":1}}}')
def test_a_specification_of_any_values_is_read_or_refused(content):
    read(AgentSpec.from_json, content)


@given(
    st.fixed_dictionaries(
        {"algo": st.sampled_from([*ALGORITHMS]), "policy": st.just("MlpPolicy")},
        optional={name: values for algo in ALGORITHMS.values() for name in algo.arguments},
    )
)
def test_policy_kwargs_of_any_values_are_read_or_refused(kwargs):
    try:
        specification = AgentSpec(kwargs.pop("algo"), kwargs.pop("policy"), "env", kwargs)
        check_size(specification.algo, "MlpPolicy", specification.policy_kwargs, OBSERVATIONS["dict"], ACTIONS["box"])
    except UnsafeAgentError:
        pass


@given(document(["format_version", "mean", "var", "epsilon", "clip_obs", "norm_obs_keys"]))
@example(b'{"format_version":1,"mean":{"":[[1],[1,2]]},"var":{"":1},"epsilon":1,"clip_obs":1,"norm_obs_keys":null}')
@example(
    b'{"format_version":1,"mean":{"":[1' + b"0" * 400 + b']},"var":{},"epsilon":1,"clip_obs":1,"norm_obs_keys":[]}'
)
def test_statistics_of_any_values_are_read_or_refused(content):
    read(NormalizationStatistics.from_json, content)


@given(st.binary(max_size=200))
def test_binary_readers_take_any_content(content):
    for reader in (read_pth, read_safetensors, check_graph):
        read(lambda data, reader=reader: reader(data, "file"), content)


@given(content=st.binary(max_size=200))
def test_the_reader_of_pickles_takes_any_content(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.pkl"
    path.write_bytes(content)
    read(read_vec_normalize_pickle, path)


@given(
    st.builds(
        AgentSpec,
        algo=st.sampled_from(["ppo", "a2c"]),
        policy=st.sampled_from(["MlpPolicy", "CnnPolicy", "MultiInputPolicy"]),
        env_id=st.text(max_size=9),
        policy_kwargs=st.fixed_dictionaries(
            {},
            optional={
                "net_arch": st.lists(st.integers(1, 99), max_size=3),
                "activation_fn": st.sampled_from(["ReLU", "Tanh", "GELU"]),
                "ortho_init": st.booleans(),
                "log_std_init": st.floats(-5, 5),
            },
        ),
    )
)
def test_a_specification_reads_back_as_it_was_written(specification):
    assert AgentSpec.from_json(specification.to_json().encode()) == specification
