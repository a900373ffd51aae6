"""Unit 3's notebook runs from top to bottom: small budget, real game, real Hub client, a Hub on this machine."""

import nbclient
import nbformat
import pytest

from notebook_outputs import films, printed, shown
from rl_units import __version__
from rl_units.course import load_course
from rl_units.yaml_files import dump_yaml, read_yaml

ENV = "SpaceInvadersNoFrameskip-v4"

pytestmark = pytest.mark.filterwarnings(
    # pyzmq warns so on Windows and under some event loops; nothing here depends on it.
    "ignore:Proactor event loop:RuntimeWarning",
)


@pytest.fixture(scope="module")
def source(read_source):
    return read_source("unit3_dqn_space_invaders")


@pytest.fixture(scope="module")
def parameters(tmp_path_factory):
    """A budget of seconds: learning begins just before training ends."""
    document = read_yaml(load_course().hyperparameters_for("dqn", ENV))
    # One environment, so that a game is over within the budget.
    document["atari"] |= {"buffer_size": 1000, "learning_starts": 1150, "n_envs": 1}
    path = tmp_path_factory.mktemp("settings") / "dqn.yml"
    path.write_text(dump_yaml(document))
    return {
        "total_timesteps": 1200,
        "hyperparameters": str(path),
        "n_eval_episodes": 2,
        "replay_steps": 40,
        "tuning_timesteps": 200,
        "n_trials": 2,
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lesson")


@pytest.fixture(scope="module")
def lesson(environment, parameters, folder, source, read_percent, run_notebook):
    """The whole lesson, run."""
    return run_notebook(read_percent(source), folder, parameters)


@pytest.fixture(scope="module")
def text(lesson):
    """Everything that it printed."""
    return printed(lesson)


def test_the_lesson_runs_from_top_to_bottom(lesson):
    assert all(cell.execution_count for cell in lesson.cells if cell.cell_type == "code")


def test_its_solutions_are_right(text, source):
    assert text.count("Right.") >= source.count("BEGIN SOLUTION")
    assert "Still to be written" not in text


def test_it_shows_frames_stack_and_curve(lesson):
    assert shown(lesson, "image/png") == 3


def test_it_shows_the_replay_inline(lesson):
    assert films(lesson) == 1


def test_it_pushes_the_agent_with_card_and_replay(lesson, environment):
    files = environment.files(f"ada/dqn-{ENV}")
    assert {"README.md", "results.json", "replay.mp4", "agent.safetensors"} <= set(files)


def test_it_fetches_the_same_weights_back(text):
    assert "The very same weights." in text


def test_its_search_finds_settings(lesson, folder):
    assert (folder / "logs" / "best.yml").is_file()


def test_a_student_who_leaves_the_exercises_open_comes_as_far_as_training(
    environment, parameters, tmp_path, builder, source, run_notebook
):
    notebook = builder.student_notebook(source)
    training = next(place for place, cell in enumerate(notebook.cells) if "rl_units train" in cell.source)
    notebook.cells = notebook.cells[:training]
    assert "Still to be written" in printed(run_notebook(notebook, tmp_path, parameters))


def test_a_failing_shell_line_fails_the_run(environment, tmp_path, run_notebook):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("!false")])
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="exit code 1 from: false"):
        run_notebook(notebook, tmp_path)


def test_the_setup_cell_installs_this_release(source):
    assert f'RELEASE = "v{__version__}"' in source
