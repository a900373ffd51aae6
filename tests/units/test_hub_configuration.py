from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rl_units.course import Protocol
from rl_units.hub.configuration import (
    ATARI_WRAPPER,
    public_arguments,
    received_arguments,
    received_config,
    received_env_kwargs,
    train_command,
)
from rl_units.runs import Run
from rl_units.yaml_files import dump_yaml

BARE = Protocol("cart-pole", 1, "CartPole-v1")
ATARI = Protocol("pong", 1, "PongNoFrameskip-v4", preprocessing="atari", frame_stack=4)
RUN = Run("dqn", "CartPole-v1", Path("run"), Path("run/CartPole-v1.zip"))

CODE = "__import__('os').system('echo')"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 1e-4),
        ("learning_rate", "lin_2.5e-4"),
        ("train_freq", [1, "episode"]),
        ("use_sde", True),
        ("policy", "MlpPolicy"),
    ],
)
def test_a_strangers_plain_hyperparameter_is_kept(name, value):
    assert received_config({name: value}, BARE, False)[name] == value


@pytest.mark.parametrize(
    "name",
    [
        "normalize",
        "policy",
        "policy_kwargs",
        "env_kwargs",
        "env_wrapper",
        "vec_env_wrapper",
        "callback",
        "learning_rate",
        "frame_stack",
        "replay_buffer_class",
        "replay_buffer_kwargs",
        "monitor_kwargs",
        "n_timesteps",
        "train_freq",
    ],
)
@pytest.mark.parametrize("value", [CODE, [CODE], [1, CODE], {"a": CODE}, float("nan")])
def test_nothing_that_a_reader_could_evaluate_is_kept(name, value):
    assert received_config({name: value}, BARE, False) == {"normalize": False}


NAMES = st.text() | st.sampled_from(["policy", "normalize", "learning_rate", "train_freq", "env_wrapper"])


@given(st.dictionaries(NAMES, st.recursive(st.text() | st.floats() | st.integers(), st.lists)))
def test_what_is_kept_of_any_configuration_is_plain(config):
    assert yaml.safe_load(dump_yaml(received_config(config, BARE, False)))["normalize"] is False


def test_the_wrapping_is_the_protocols():
    config = received_config({"env_wrapper": ["os.system"], "frame_stack": 9}, ATARI, False)
    assert (config["env_wrapper"], config["frame_stack"]) == ([ATARI_WRAPPER], 4)


def test_normalisation_is_what_the_loaded_agent_has():
    assert received_config({"normalize": CODE}, BARE, True)["normalize"] is True


def test_arguments_are_the_few_that_the_zoo_reads():
    arguments = received_arguments(RUN, {"seed": 3, "conf_file": CODE, "env_kwargs": CODE, "n_timesteps": CODE})
    assert arguments == {"seed": 3, "algo": "dqn", "env": "CartPole-v1", "env_kwargs": None}


@pytest.mark.parametrize("name", ["storage", "conf_file", "log_folder", "tensorboard_log", "trained_agent", "new_flag"])
def test_passwords_and_places_on_the_students_machine_are_not_published(name):
    arguments = public_arguments({name: "postgresql://alice:secret@/home/alice", "seed": 3, "algo": "dqn"})
    assert arguments == {"seed": 3, "algo": "dqn", "env_kwargs": None}


def test_environment_arguments_are_plain_and_set_no_render_mode():
    assert received_env_kwargs({"gravity": 9.8, "render_mode": "human", "x": (1, 2)}) == {"gravity": 9.8, "x": [1, 2]}


def test_environment_arguments_nested_without_end_are_dropped():
    endless: dict[str, object] = {}
    endless["again"] = endless
    assert received_env_kwargs(endless) == {}


def test_the_train_command_names_what_was_given():
    command = train_command(RUN, {"n_timesteps": 500, "seed": 7, "hyperparams": {"policy_kwargs": "dict(a=1)"}})
    assert command == (
        "python -m rl_units train --algo dqn --env CartPole-v1 -f logs/ -n 500 --seed 7 "
        """--hyperparams 'policy_kwargs:'"'"'dict(a=1)'"'"''"""
    )


def test_the_train_command_leaves_out_what_was_not_given():
    assert train_command(RUN, {"n_timesteps": -1, "seed": -1}).endswith("-f logs/")
