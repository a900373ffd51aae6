"""What importing costs, and what the documents promise."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rl_units
from rl_units.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {"torch", "numpy", "gymnasium", "stable_baselines3", "rl_zoo3", "huggingface_hub", "yaml", "matplotlib"}


def modules_after(*arguments):
    code = (
        "import sys, json, contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        f"    {'; '.join(arguments)}\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(finished.stdout))


def test_manifest_results_and_baselines_load_the_standard_library_only():
    loaded = modules_after(
        "import rl_units.course, rl_units.baselines",
        "[rl_units.baselines.load_baselines(unit) for unit in rl_units.course.load_course().units]",
    )

    assert "rl_units.course" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["push_to_hub", "--help"]], ids=" ".join)
def test_help_waits_for_nothing_heavy(arguments):
    loaded = modules_after("from rl_units.cli import main", f"main({arguments!r})")

    assert "rl_units.cli" in loaded
    assert not loaded & {"torch", "gymnasium", "stable_baselines3", "rl_zoo3"}


def test_evaluating_an_agent_loads_neither_the_zoo_nor_the_hub():
    loaded = modules_after("import rl_units.evaluation, rl_units.agents")

    assert not loaded & {"rl_zoo3", "huggingface_hub", "huggingface_sb3", "optuna"}


def test_the_newest_version_in_the_changelog_is_the_packages():
    newest = re.search(r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)

    assert newest is not None
    assert newest.group(1) == rl_units.__version__


def test_the_readme_names_every_command():
    readme = (ROOT / "README.md").read_text("utf-8")

    assert [command for command in COMMANDS if command not in readme] == []


def test_ci_runs_the_readmes_test_command():
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")
    assert "make test" in (ROOT / "README.md").read_text("utf-8")


def test_the_hub_needs_no_part_of_the_students_side():
    loaded = modules_after("import rl_hub.web.app")

    assert "rl_hub.web.app" in loaded
    assert not loaded & {"rl_units", "torch", "gymnasium", "stable_baselines3", "rl_zoo3", "huggingface_hub"}


def test_the_leaderboard_loads_nothing_that_trains_or_draws():
    loaded = modules_after("import rl_leaderboard.web.app")

    assert "rl_leaderboard.web.app" in loaded
    assert not loaded & {"torch", "gymnasium", "stable_baselines3", "rl_zoo3", "huggingface_hub", "matplotlib"}
    assert not loaded & {"reportlab", "pypdfium2", "PIL", "alembic", "authlib"}


def test_a_hub_whose_schema_is_current_does_not_wait_for_the_migrations(tmp_path):
    opening = f"Hub.open(Settings(Path({str(tmp_path)!r}))).close()"
    imports = "from pathlib import Path; from rl_hub.hub import Hub; from rl_hub.settings import Settings"
    modules_after(imports, opening)

    assert "alembic" not in modules_after(imports, opening)


def test_the_hubs_readme_names_every_setting():
    readme = (ROOT / "leaderboard" / "README.md").read_text("utf-8")
    source = (ROOT / "leaderboard" / "rl_hub" / "cli.py").read_text("utf-8")
    settings = set(re.findall(r'"(--[a-z-]+)"|"(RL_HUB_[A-Z_]+)"', source))

    assert settings
    assert [name for pair in settings for name in pair if name not in readme] == []
