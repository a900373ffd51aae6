"""Learning curves show the agent's steps, whatever the monitor counted, and every file of a resumed run."""

import json

import matplotlib.image
import numpy as np
import pytest

from rl_units.cli import main
from rl_units.errors import ConfigError, RunNotFoundError
from rl_units.plots import draw_curves, read_curve, rolling

ENV = "SpaceInvadersNoFrameskip-v4"


def write_monitor(folder, name, t_start, games):
    """Games are (return, length, seconds since t_start)."""
    header = json.dumps({"t_start": t_start, "env_id": ENV})
    rows = "".join(f"{r},{length},{t}\n" for r, length, t in games)
    (folder / name).write_text(f"#{header}\nr,l,t\n{rows}")


def write_config(folder, text):
    (folder / ENV).mkdir()
    (folder / ENV / "config.yml").write_text(text)


@pytest.fixture
def run_folder(tmp_path):
    folder = tmp_path / "logs" / "dqn" / f"{ENV}_1"
    folder.mkdir(parents=True)
    return folder


def test_steps_add_up_over_environments_and_resumed_files_in_order_of_time(run_folder):
    write_monitor(run_folder, "0.until-5.monitor.csv", 1000.0, [(1.0, 10, 1.0), (3.0, 30, 5.0)])
    write_monitor(run_folder, "1.until-5.monitor.csv", 1000.0, [(2.0, 20, 2.0)])
    write_monitor(run_folder, "0.monitor.csv", 2000.0, [(4.0, 40, 1.0)])
    curve = read_curve(run_folder, ENV)
    assert curve.returns.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert curve.steps.tolist() == [10, 30, 60, 100]


@pytest.mark.parametrize(
    "config",
    [
        "env_wrapper:\n- stable_baselines3.common.atari_wrappers.AtariWrapper\n",
        "!!python/object/apply:collections.OrderedDict\n- - - env_wrapper\n"
        "    - - stable_baselines3.common.atari_wrappers.AtariWrapper\n",
    ],
)
def test_emulator_frames_become_steps_of_the_agent(run_folder, config):
    write_monitor(run_folder, "0.monitor.csv", 0.0, [(1.0, 400, 1.0)])
    write_config(run_folder, config)
    assert read_curve(run_folder, ENV).steps.tolist() == [100]


def test_half_written_row_of_a_killed_run_is_left_out(run_folder):
    write_monitor(run_folder, "0.monitor.csv", 0.0, [(1.0, 10, 1.0)])
    with (run_folder / "0.monitor.csv").open("a") as file:
        file.write("7.0,1")
    assert read_curve(run_folder, ENV).returns.tolist() == [1.0]


def test_evaluations_have_mean_and_population_std(run_folder):
    np.savez(
        run_folder / "evaluations.npz", timesteps=[100, 200], results=[[1.0, 3.0], [5.0, 5.0]], ep_lengths=[[1, 1]]
    )
    curve = read_curve(run_folder, ENV)
    assert (curve.eval_means.tolist(), curve.eval_stds.tolist()) == ([2.0, 5.0], [1.0, 0.0])


def test_run_without_a_finished_game_is_a_sentence(run_folder):
    write_monitor(run_folder, "0.monitor.csv", 0.0, [])
    with pytest.raises(RunNotFoundError, match="No game has finished"):
        read_curve(run_folder, ENV)


@pytest.mark.parametrize(
    "content", ["", "nonsense\n", '#{"t_start": 0}\nr,l\n1,2\n', '#{"t_start": 0}\nr,l,t\ninf,2,3\n']
)
def test_damaged_monitor_is_a_sentence(run_folder, content):
    (run_folder / "0.monitor.csv").write_text(content)
    with pytest.raises(ConfigError, match=r"monitor\.csv in .* Move it away"):
        read_curve(run_folder, ENV)


def test_pickled_or_damaged_evaluations_are_refused(run_folder):
    np.savez(run_folder / "evaluations.npz", timesteps=np.array([object()]), results=np.array([[object()]]))
    with pytest.raises(ConfigError, match="is damaged"):
        read_curve(run_folder, ENV)


def test_folder_named_as_a_monitor_file_is_a_sentence(run_folder):
    (run_folder / "1.monitor.csv").mkdir()
    with pytest.raises(ConfigError, match="Move it away"):
        read_curve(run_folder, ENV)


def test_header_nested_without_end_is_a_sentence(run_folder):
    (run_folder / "0.monitor.csv").write_text("#" + "[" * 100_000 + "\nr,l,t\n")
    with pytest.raises(ConfigError, match="Move it away"):
        read_curve(run_folder, ENV)


def test_evaluations_with_a_damaged_member_are_refused(run_folder):
    path = run_folder / "evaluations.npz"
    np.savez_compressed(path, timesteps=np.arange(1000), results=np.zeros((1000, 2)))
    content = bytearray(path.read_bytes())
    start = content.index(b"timesteps.npy") + len("timesteps.npy") + 20  # after the name, and zip64's extra field
    content[start : start + 4] = b"\xff" * 4
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="is damaged"):
        read_curve(run_folder, ENV)


def test_truncated_evaluations_are_refused(run_folder):
    (run_folder / "evaluations.npz").write_bytes(b"PK\x03\x04 half")
    with pytest.raises(ConfigError, match="is damaged"):
        read_curve(run_folder, ENV)


def test_rolling_mean_looks_back_only():
    mean, std = rolling(np.array([1.0, 3.0, 5.0]), 2)
    assert (mean.tolist(), std.tolist()) == ([1.0, 2.0, 4.0], [0.0, 1.0, 1.0])


def test_empty_window_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="at least 1 game"):
        draw_curves([], ENV, tmp_path / "curve.png", window=0)


def test_command_draws_all_runs_into_one_picture(run_folder, tmp_path, capsys):
    second = run_folder.with_name(f"{ENV}_2")
    second.mkdir()
    for folder in (run_folder, second):
        write_monitor(folder, "0.monitor.csv", 0.0, [(float(i % 7), 40, float(i)) for i in range(30)])
    picture = tmp_path / "curve.png"
    flags = ["--algo", "dqn", "--env", ENV, "-f", str(tmp_path / "logs"), "--exp-id", "all", "-o", str(picture)]
    assert main(["plot", *flags]) == 0
    assert capsys.readouterr().out.strip() == str(picture)
    assert matplotlib.image.imread(picture).shape == (780, 1350, 4)


def test_command_names_a_run_that_does_not_exist(run_folder, tmp_path, capsys):
    assert main(["plot", "--algo", "dqn", "--env", ENV, "-f", str(tmp_path / "logs"), "--exp-id", "5"]) == 2
    assert "There is no run 5" in capsys.readouterr().err


def test_command_refuses_a_word_for_a_number(run_folder, tmp_path, capsys):
    assert main(["plot", "--algo", "dqn", "--env", ENV, "-f", str(tmp_path / "logs"), "--exp-id", "first"]) == 2
    assert "numbers of runs or 'all'" in capsys.readouterr().err
