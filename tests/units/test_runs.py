"""Run folders."""

import pytest
import rl_zoo3
import yaml
from huggingface_sb3 import EnvironmentName

from rl_units.errors import ConfigError, RunNotFoundError, UnknownAlgorithmError
from rl_units.runs import ALGORITHMS, file_name, find_run, normalizes_observations

ENV = "CartPole-v1"


def make_run(folder, number=1, algo="dqn", env_id=ENV, config=None, arguments=None):
    run = folder / algo / f"{file_name(env_id)}_{number}"
    parameters = run / file_name(env_id)
    parameters.mkdir(parents=True)
    (run / f"{file_name(env_id)}.zip").write_bytes(b"model")
    if config is not None:
        (parameters / "config.yml").write_text(yaml.dump(config))
    if arguments is not None:
        (parameters / "args.yml").write_text(yaml.dump(arguments))
    return run


def test_the_algorithms_are_the_zoos():
    assert set(ALGORITHMS) == set(rl_zoo3.ALGOS)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "ALE/Pong-v5", "package:Name-v0"])
def test_file_names_are_the_zoos(env_id):
    assert file_name(env_id) == EnvironmentName(env_id)


def test_the_latest_run_is_the_one_with_the_highest_number(tmp_path):
    for number in (1, 2, 10):
        make_run(tmp_path, number)

    assert find_run(tmp_path, "dqn", ENV).folder.name == f"{ENV}_10"
    assert find_run(tmp_path, "dqn", ENV, exp_id=2).folder.name == f"{ENV}_2"


def test_a_folder_of_another_environment_with_the_same_beginning_is_not_taken(tmp_path):
    make_run(tmp_path, 1)
    make_run(tmp_path, 7, env_id=f"{ENV}_more")

    assert find_run(tmp_path, "dqn", ENV).folder.name == f"{ENV}_1"


def test_the_flags_choose_the_model(tmp_path):
    run = make_run(tmp_path)
    for name in ("best_model.zip", "rl_model_900_steps.zip", "rl_model_1000_steps.zip"):
        (run / name).write_bytes(b"model")

    assert find_run(tmp_path, "dqn", ENV, load_best=True).model.name == "best_model.zip"
    assert find_run(tmp_path, "dqn", ENV, load_checkpoint=900).model.name == "rl_model_900_steps.zip"
    assert find_run(tmp_path, "dqn", ENV, load_last_checkpoint=True).model.name == "rl_model_1000_steps.zip"


def test_no_run_says_how_to_train_one(tmp_path):
    with pytest.raises(RunNotFoundError, match="python -m rl_units train --algo dqn --env CartPole-v1"):
        find_run(tmp_path, "dqn", ENV)


def test_a_wrong_number_names_the_right_ones(tmp_path):
    make_run(tmp_path, 3)
    with pytest.raises(RunNotFoundError, match=r"there are: \[3\]"):
        find_run(tmp_path, "dqn", ENV, exp_id=4)


def test_a_run_of_another_algorithm_is_named(tmp_path):
    make_run(tmp_path, algo="ppo")
    with pytest.raises(RunNotFoundError, match="ppo/CartPole-v1_1"):
        find_run(tmp_path, "dqn", ENV)


@pytest.mark.parametrize("flags", [{"load_best": True}, {"load_checkpoint": 5}, {"load_last_checkpoint": True}])
def test_a_missing_model_names_those_that_there_are(tmp_path, flags):
    make_run(tmp_path)
    with pytest.raises(RunNotFoundError, match=r"models there: CartPole-v1\.zip"):
        find_run(tmp_path, "dqn", ENV, **flags)


def test_an_unknown_algorithm_names_the_zoos(tmp_path):
    with pytest.raises(UnknownAlgorithmError, match="qrdqn"):
        find_run(tmp_path, "dqm", ENV)


def test_a_game_of_the_course_has_the_courses_protocol(tmp_path):
    make_run(tmp_path, env_id="PongNoFrameskip-v4", config={"frame_stack": 2})

    assert find_run(tmp_path, "dqn", "PongNoFrameskip-v4").protocol.id == "pong"


def test_another_environment_has_the_runs_own_wrapping(tmp_path):
    make_run(tmp_path, config={"frame_stack": 2}, arguments={"env_kwargs": {"gravity": 1.0}})

    protocol = find_run(tmp_path, "dqn", ENV).protocol
    assert (protocol.preprocessing, protocol.frame_stack, protocol.env_kwargs) == ("none", 2, {"gravity": 1.0})


@pytest.mark.parametrize("value", ["4", True, 0, -1, 33, 2.5, [4]])
def test_a_frame_stack_that_nobody_has_is_a_sentence(tmp_path, value):
    make_run(tmp_path, config={"frame_stack": value})
    with pytest.raises(ConfigError, match="frame_stack"):
        find_run(tmp_path, "dqn", ENV).protocol  # noqa: B018 # asking for it is the test


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (False, False),
        ({"norm_reward": False}, True),
        ({"norm_obs": False}, False),
        ("{'norm_obs': True, 'norm_reward': False}", True),
        ("{'norm_obs': False, 'norm_reward': True}", False),
        ("dict(norm_obs=False)", False),
        ("dict(norm_reward=False)", True),
    ],
)
def test_normalisation_is_read_as_the_zoo_writes_it(value, expected):
    assert normalizes_observations({"normalize": value}) == expected


def test_leftovers_of_killed_writes_are_no_models(tmp_path):
    (make_run(tmp_path) / ".best_model-123-0.zip").touch()
    with pytest.raises(RunNotFoundError, match=r"models there: CartPole-v1\.zip"):
        find_run(tmp_path, "dqn", ENV, load_best=True)


@pytest.mark.parametrize("key", ["env_wrapper", "vec_env_wrapper"])
def test_a_wrapper_is_never_imported_by_its_name(tmp_path, key):
    make_run(tmp_path, config={key: ["antigravity.Wrapper"]})
    with pytest.raises(ConfigError, match="antigravity"):
        find_run(tmp_path, "dqn", ENV).protocol  # noqa: B018 # asking for it is the test


def test_a_configuration_with_code_is_refused(tmp_path):
    run = make_run(tmp_path)
    (run / ENV / "args.yml").write_text("!!python/object/apply:os.system ['false']")
    with pytest.raises(ConfigError, match="refused"):
        find_run(tmp_path, "dqn", ENV)


def test_environment_arguments_must_be_a_mapping(tmp_path):
    make_run(tmp_path, arguments={"env_kwargs": [1]})
    with pytest.raises(ConfigError, match="env_kwargs"):
        find_run(tmp_path, "dqn", ENV)
