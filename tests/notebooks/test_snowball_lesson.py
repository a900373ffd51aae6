"""Unit 5's notebook runs from top to bottom: small budgets, both libraries, real Hub client, a Hub on this machine.

What only the real ML-Agents can do is run by the Python that has it; without one those cells are passed over.
"""

from pathlib import Path

import pytest

from mlagents_environment import mlagents_python, mlagents_variables, needs_mlagents
from notebook_outputs import films, printed, shown
from rl_units import __version__
from rl_units.course import load_course
from rl_units.yaml_files import dump_yaml, read_yaml

ENV, PRACTICE = "SnowballFight-v0", "SnowballTarget-v0"
BRIDGE = Path(__file__).parents[2] / "envs" / "mlagents_bridge"
# The test installs nothing; and what needs ML-Agents has to have it.
PASSED_OVER = {"mlagents-install"} if mlagents_python() else {"mlagents-install", "mlagents"}

pytestmark = pytest.mark.filterwarnings(
    # pyzmq warns so on Windows and under some event loops; nothing here depends on it.
    "ignore:Proactor event loop:RuntimeWarning",
)


def tags(cell) -> set[str]:
    return set(cell.metadata.get("tags", []))


@pytest.fixture(scope="module")
def source(read_source):
    return read_source("unit5_snowball_fight")


@pytest.fixture(scope="module")
def parameters(tmp_path_factory):
    """Budgets of seconds: a few updates in everything that learns."""
    folder = tmp_path_factory.mktemp("settings")
    recipes = read_yaml(load_course().hyperparameters_for("ppo", ENV))
    for recipe in recipes.values():
        recipe |= {"n_envs": 8, "n_steps": 32, "batch_size": 128, "n_epochs": 1}
    (folder / "ppo.yml").write_text(dump_yaml(recipes))
    return {
        "hyperparameters": str(folder / "ppo.yml"),
        "target_steps": 512,
        "scripted_steps": 8 * 640,  # longer than a game, so that there is a curve to draw
        "self_play_steps": 512,
        "n_eval_episodes": 4,
        "rated_games": 4,
        "replay_steps": 20,
        "mlagents_python": str(mlagents_python() or ""),
        "mlagents_configuration": small_configuration(folder, "ppo_1v1", "SnowballFight"),
        "mlagents_steps": 1_000,
        "unity_steps": 256,
        "teams_configuration": small_configuration(folder, "poca_2v2", "SnowballFight2vs2"),
        "teams_steps": 500,
    }


def small_configuration(folder: Path, name: str, behavior: str) -> str:
    """A trainer's configuration that learns from little, and in time to be seen."""
    document = read_yaml(BRIDGE / "configurations" / f"{name}.yaml")
    settings = document["behaviors"][behavior]
    settings["hyperparameters"] |= {"batch_size": 64, "buffer_size": 256}
    settings["network_settings"] |= {"hidden_units": 16}
    settings |= {"time_horizon": 16, "summary_freq": 250}
    path = folder / f"{name}.yaml"
    path.write_text(dump_yaml(document))
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lesson")


@pytest.fixture(scope="module")
def lesson(environment, parameters, folder, source, read_percent, run_notebook):
    """The whole lesson, run, less what is passed over."""
    notebook = read_percent(source)
    notebook.cells = [cell for cell in notebook.cells if not tags(cell) & PASSED_OVER]
    if not mlagents_python():
        parameters = {name: value for name, value in parameters.items() if name != "mlagents_python"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", mlagents_variables()["PYTHONPATH"])
        return run_notebook(notebook, folder, parameters)


@pytest.fixture(scope="module")
def text(lesson):
    """Everything that it printed."""
    return printed(lesson)


def test_the_lesson_runs_from_top_to_bottom(lesson):
    assert all(cell.execution_count for cell in lesson.cells if cell.cell_type == "code")


def test_its_solutions_are_right(text, source):
    assert text.count("Right.") >= source.count("BEGIN SOLUTION")
    assert "Still to be written" not in text


def test_it_shows_two_moments_of_a_game_and_two_curves(lesson):
    assert shown(lesson, "image/png") == 4


def test_it_shows_practice_and_fight_as_films(lesson):
    assert films(lesson) >= 2


def test_it_rates_the_learner_of_self_play_against_every_fixed_player(lesson, folder):
    (ratings,) = (folder / "logs" / "self_play").rglob("ratings.csv")
    assert ratings.read_text().splitlines()[0] == "steps,rating,still,random,dodger,aim_and_shoot,leader"


def test_it_compares_both_agents_and_pushes_the_better_one(text, lesson, environment):
    assert "self_play takes" in text
    assert {"README.md", "results.json", "replay.mp4", "agent.safetensors"} <= set(environment.files(f"ada/ppo-{ENV}"))


def test_stable_baselines_trains_what_the_launcher_serves(text):
    assert "agents of SnowballFight?team=0" in text
    assert "4,096 steps." in text  # one rollout of 64 agents


@needs_mlagents
def test_ml_agents_trains_and_its_network_is_scored_filmed_and_pushed(text, lesson, folder, environment):
    files = environment.files(f"ada/ppo-{ENV}-mlagents")

    assert {"README.md", "SnowballFight.onnx", "results.json", "replay.mp4"} <= set(files)
    assert films(lesson) == 3
    assert (folder / "logs" / "mlagents" / "teams" / "SnowballFight2vs2.onnx").is_file()


def test_a_student_who_leaves_the_exercises_open_comes_through_all_of_them(
    environment, parameters, tmp_path, builder, source, run_notebook
):
    notebook = builder.student_notebook(source)
    training = next(place for place, cell in enumerate(notebook.cells) if "rl_units train" in cell.source)
    exercises = [cell for cell in notebook.cells[training:] if "exercise" in tags(cell) or "check(" in cell.source]
    notebook.cells = [*notebook.cells[:training], *exercises]

    text = printed(run_notebook(notebook, tmp_path, parameters))

    assert text.count("Still to be written") >= source.count("BEGIN SOLUTION")
    assert "Right." not in text


def test_the_setup_cell_installs_this_release(source):
    assert f'RELEASE = "v{__version__}"' in source
