"""The command line: a sentence and exit code 2 for whatever a person can mend."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rl_units.cli import COMMANDS, main
from rl_units.commands.common import positive
from rl_units.results import load_result

ON_AN_ENVIRONMENT = [
    ["train"],
    ["enjoy"],
    ["evaluate"],
    ["record_video"],
    ["push_to_hub"],
    ["load_from_hub"],
    ["tune", "-n", "100"],
]
RUN = ["--algo", "dqn", "--env", "CartPole-v1"]


def call(*arguments, timeout=120):
    command = [sys.executable, "-m", "rl_units", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout)


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])

    listed = capsys.readouterr().out
    assert [command for command in COMMANDS if command not in listed] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_own_help(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])

    assert stopped.value.code == 0
    assert command in capsys.readouterr().out


@pytest.mark.parametrize("command", ["enjoy", "evaluate", "record_video", "push_to_hub"])
def test_without_a_run_every_command_says_how_to_train_one(command, tmp_path, capsys):
    assert main([command, *RUN, "-f", str(tmp_path), *(["--to-folder", "x"] if "push" in command else [])]) == 2
    assert "python -m rl_units train" in capsys.readouterr().err


@pytest.fixture
def exported(tmp_path):
    """A model that ML-Agents has exported."""
    return shutil.copy(Path(__file__).parents[1] / "data" / "mlagents" / "cart-pole.onnx", tmp_path / "CartPole.onnx")


def test_a_model_of_ml_agents_is_scored_where_it_lies(exported, tmp_path, capsys):
    flags = ["--algo", "mlagents", "--env", "CartPole-v1", "--model", str(exported), "--n-eval-episodes", "2"]

    assert main(["evaluate", *flags]) == 0
    assert f"Written to {tmp_path / 'results.json'}" in capsys.readouterr().out
    assert load_result(tmp_path).n_episodes == 2


def test_a_model_of_ml_agents_is_filmed_where_it_lies(exported, tmp_path):
    flags = ["--algo", "mlagents", "--env", "CartPole-v1", "--model", str(exported), "-n", "20"]

    assert main(["record_video", *flags]) == 0
    assert (tmp_path / "videos" / "mlagents-CartPole-seed-0.mp4").is_file()


@pytest.mark.parametrize("command", ["enjoy", "evaluate", "record_video"])
def test_a_file_that_is_not_there_is_a_sentence(command, tmp_path, capsys):
    assert main([command, *RUN, "--model", str(tmp_path / "none.zip")]) == 2
    assert f"{tmp_path / 'none.zip'} does not exist" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["enjoy", "evaluate", "record_video", "push_to_hub"])
def test_an_agent_of_ml_agents_is_named_by_its_file(command, tmp_path, capsys):
    folder = ["--to-folder", str(tmp_path / "out")] if "push" in command else []
    assert main([command, "--algo", "mlagents", "--env", "CartPole-v1", "-f", str(tmp_path), *folder]) == 2
    assert "evaluate --model results/my-run/SnowballFight.onnx" in capsys.readouterr().err


@pytest.mark.parametrize("command", ON_AN_ENVIRONMENT, ids=lambda command: command[0])
def test_a_removed_environment_names_its_successor(command, tmp_path, capsys):
    assert main([*command, "--algo", "dqn", "--env", "LunarLander-v2", "-f", str(tmp_path)]) == 2
    assert "LunarLander-v3" in capsys.readouterr().err


@pytest.mark.parametrize("command", ON_AN_ENVIRONMENT, ids=lambda command: command[0])
def test_an_unknown_algorithm_names_the_known(command, tmp_path, capsys):
    assert main([*command, "--algo", "dqm", "--env", "CartPole-v1", "-f", str(tmp_path)]) == 2
    assert "qrdqn" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("CartPole-v1: [", "not YAML"),
        ("- a list", "must be a YAML mapping"),
        ("Pendulum-v1: {}", "no hyperparameters for CartPole-v1"),
        ("CartPole-v1: 3", "must be a mapping"),
        ("CartPole-v1: !!python/object/apply:os.system ['false']", "refused"),
        ("CartPole-v1: {policy: MlpPolicy, n_timesteps: 10, nonsense: 1}", "do not fit"),
        ("CartPole-v1: {policy: NoPolicy, n_timesteps: 10}", "do not fit"),
        ("CartPole-v1: {policy: MlpPolicy}", "do not fit"),
        ("CartPole-v1: {policy: MlpPolicy, n_timesteps: 10, n_envs: 0}", "do not fit"),
        ("CartPole-v1: {policy: MlpPolicy, n_timesteps: .inf}", "do not fit"),
        ("CartPole-v1: {policy: MlpPolicy, n_timesteps: 10, policy_kwargs: 'dict(net_arch=['}", "do not fit"),
    ],
)
def test_a_wrong_configuration_is_a_sentence_and_leaves_no_run(text, sentence, tmp_path, capsys):
    configuration = tmp_path / "dqn.yml"
    configuration.write_text(text)

    assert main(["train", *RUN, "-f", str(tmp_path / "logs"), "-c", str(configuration)]) == 2
    assert sentence in capsys.readouterr().err
    assert not list((tmp_path / "logs").glob("dqn/*"))


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["-params", "learning_rate:abc"], "name:value"),
        (["-params", "learning_rate=0.1"], "name:value"),
        (["-i", "missing.zip"], "cannot be read"),
        (["--device", "toaster"], "do not fit"),
        (["-c", "missing.py"], "do not fit"),
        (["--gym-packages", "no_such_package"], "cannot be imported"),
    ],
)
def test_a_wrong_flag_of_the_zoo_is_a_sentence_and_leaves_no_run(flags, sentence, tmp_path, capsys):
    assert main(["train", *RUN, "-f", str(tmp_path / "logs"), *flags]) == 2
    assert sentence in capsys.readouterr().err
    assert not list((tmp_path / "logs").glob("dqn/*"))


def test_a_log_folder_that_is_a_file_is_a_sentence(tmp_path, capsys):
    (tmp_path / "logs").write_text("")

    assert main(["train", *RUN, "-f", str(tmp_path / "logs")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("algo", ["ars", "ppo_lstm"])
def test_algorithms_with_policies_of_another_kind_train_too(algo, tmp_path):
    configuration = tmp_path / "small.yml"
    settings = {"ars": "{policy: LinearPolicy, n_delta: 1}", "ppo_lstm": "{policy: MlpLstmPolicy, n_steps: 16}"}
    configuration.write_text(f"CartPole-v1: {settings[algo]}")
    train = ["train", "--algo", algo, "--env", "CartPole-v1", "-f", str(tmp_path), "-c", str(configuration)]

    assert main([*train, "-n", "20", "-params", "n_timesteps:20", "--eval-freq", "-1", "--no-progress"]) == 0
    assert (tmp_path / algo / "CartPole-v1_1" / "CartPole-v1.zip").is_file()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    assert main(["train", *RUN, "-f", str(folder), "-n", "60", "--eval-freq", "-1", "--no-progress"]) == 0
    return folder


def test_a_finished_run_says_how_to_train_it_further(finished, capsys):
    assert main(["train", "--resume", *RUN, "-f", str(finished)]) == 2
    assert "-n with a larger number" in capsys.readouterr().err


def test_a_run_whose_last_save_failed_is_saved_by_resuming(tmp_path):
    train = [*RUN, "-f", str(tmp_path), "--no-progress"]
    assert main(["train", *train, "-n", "60", "--eval-freq", "-1"]) == 0
    model = tmp_path / "dqn" / "CartPole-v1_1" / "CartPole-v1.zip"
    model.unlink()

    assert main(["train", "--resume", *train]) == 0
    assert model.is_file()


@pytest.mark.parametrize(("text", "steps"), [("1e3", 1000), ("1_000", 1000), ("12345678901234567", 12345678901234567)])
def test_numbers_are_written_as_in_the_zoos_files(text, steps):
    assert positive(text) == steps


def test_a_resumed_run_keeps_its_hyperparameters(finished, capsys):
    assert main(["train", "--resume", *RUN, "-f", str(finished), "-c", "other.yml"]) == 2
    assert "leave out -c" in capsys.readouterr().err


def test_a_newer_run_without_a_checkpoint_does_not_hide_the_one_to_resume(finished):
    newer = finished / "dqn" / "CartPole-v1_2"
    newer.mkdir()
    resume = ["train", "--resume", *RUN, "-f", str(finished), "-n", "900", "--no-progress"]

    assert main(resume) == 0
    assert not any(newer.iterdir())


def test_a_missing_configuration_is_a_sentence(tmp_path, capsys):
    assert main(["train", *RUN, "-f", str(tmp_path), "-c", str(tmp_path / "none.yml")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_flag_nobody_knows_stops_before_anything_happens(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", *RUN, "--nonsense"])

    assert stopped.value.code == 2
    assert "--nonsense" in capsys.readouterr().err


def test_resuming_what_was_never_begun_is_a_sentence(tmp_path, capsys):
    assert main(["train", "--resume", *RUN, "-f", str(tmp_path)]) == 2
    assert "no trained runs" in capsys.readouterr().err


def test_nobody_sees_a_traceback(tmp_path):
    finished = call("evaluate", *RUN, "-f", tmp_path)

    assert finished.returncode == 2
    assert "Traceback" not in finished.stderr
