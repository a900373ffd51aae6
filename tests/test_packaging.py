"""The wheel: what a student gets without a clone."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return next(folder.glob("*.whl"))


@pytest.mark.parametrize(
    "package",
    [
        "units/rl_units",
        "leaderboard/rl_hub",
        "leaderboard/rl_leaderboard",
        "envs/snowball_fight",
        "envs/mlagents_bridge",
    ],
)
def test_every_file_of_a_package_is_in_the_wheel(wheel, package):
    root = (ROOT / package).parent
    files = [path for path in (ROOT / package).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    inside = set(zipfile.ZipFile(wheel).namelist())

    assert files
    assert [name for path in files if (name := path.relative_to(root).as_posix()) not in inside] == []


def test_every_notebook_is_in_the_wheel_and_nothing_else_of_their_folder(wheel):
    notebooks = {f"rl_units/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if "notebooks/" in name}

    assert notebooks
    assert inside == notebooks


def test_an_installed_classroom_finds_the_notebook_of_each_unit_that_has_one(wheel):
    code = (
        "from rl_leaderboard.lessons.material import notebook_of; from rl_units.course import load_course; "
        "print(*filter(None, map(notebook_of, load_course().units)), sep='\\n')"
    )
    folder = wheel.parent / "beside"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    # The folder stands before this clone on the path, and the clone's own packages are not looked at; what is covered
    # there says nothing about the clone.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )

    names = ("unit3_dqn_space_invaders.ipynb", "unit5_snowball_fight.ipynb")
    assert finished.stdout.split() == [str(folder / "rl_units" / "notebooks" / name) for name in names]


def test_the_manifest_is_read_from_the_wheel_without_any_other_package(wheel):
    code = "from rl_units.course import load_course; print([unit.id for unit in load_course().units])"
    # -S leaves out every installed package; a zip on the path would not do, because the manifest is read as files.
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(wheel.parent / "installed")
    finished = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=wheel.parent / "installed",
        capture_output=True,
        text=True,
        check=True,
    )

    assert "unit3_dqn_atari" in finished.stdout
