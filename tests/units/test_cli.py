"""The command line: a sentence and exit code 2 for whatever a person can mend."""

import subprocess
import sys

import pytest

from rl_units.cli import COMMANDS, main

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
    ],
)
def test_a_wrong_configuration_is_a_sentence_and_leaves_no_run(text, sentence, tmp_path, capsys):
    configuration = tmp_path / "dqn.yml"
    configuration.write_text(text)

    assert main(["train", *RUN, "-f", str(tmp_path / "logs"), "-c", str(configuration)]) == 2
    assert sentence in capsys.readouterr().err
    assert not list((tmp_path / "logs").glob("dqn/*"))


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
