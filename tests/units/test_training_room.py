"""Replay buffers that do not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_units.cli import main
from rl_units.errors import ConfigError
from rl_units.training.room import Need, refuse_what_does_not_fit


@given(st.integers(1, 10**9), st.integers(1, 10**6), st.integers(0, 10**13), st.integers(0, 10**10))
def test_the_size_that_is_said_to_fit_does(size, bytes_each, free, beside):
    need = Need(bytes_each, "memory", beside)
    try:
        refuse_what_does_not_fit(size, need, free)
    except ConfigError as error:
        if "Not a single transition fits" in str(error):
            # A tenth is left for everything else, and a size is told in two digits.
            assert free - beside < 2 * bytes_each
            return
        most = int(str(error).split("At most ")[1].split()[0].replace(",", ""))
        assert most < size
        refuse_what_does_not_fit(most, need, free)
    else:
        assert size * bytes_each + beside <= free


@pytest.mark.parametrize(
    ("game", "flags", "place"),
    [
        ("PongNoFrameskip-v4", [], "disk"),
        ("PongNoFrameskip-v4", ["--reference"], "memory"),
        ("PongNoFrameskip-v4", ["-params", "n_steps:3"], "memory"),
        ("CartPole-v1", [], "memory"),
    ],
)
def test_a_buffer_that_does_not_fit_is_refused_before_training(game, flags, place, tmp_path, capsys):
    command = ["train", "--algo", "dqn", "--env", game, "-f", str(tmp_path), "-n", "100", "--no-progress"]

    flags = flags if "-params" in flags else [*flags, "-params"]
    assert main([*command, *flags, f"buffer_size:{10**12}"]) != 0

    error = capsys.readouterr().err
    assert f"of {place}, and" in error
    assert "transitions fit" in error
    assert list(tmp_path.rglob("*.zip")) == []


def test_algorithms_without_a_replay_buffer_have_room(tmp_path):
    command = ["train", "--algo", "a2c", "--env", "CartPole-v1", "-f", str(tmp_path), "-n", "40", "--no-progress"]

    assert main([*command, "--eval-freq", "-1"]) == 0
