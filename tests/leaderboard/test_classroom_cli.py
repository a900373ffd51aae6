"""`python -m rl_leaderboard`: migrate, ingest and export, and what every command says when something is wrong."""

import csv
import io
import json
import os
import stat
import subprocess
import sys
import zipfile

import pytest

from filled_hub import owner
from leaderboard_agents import measure, push, submit
from leaderboard_people import add_person
from rl_hub.accounts import tokens as hub_tokens
from rl_leaderboard.audit import log
from rl_leaderboard.classes import records
from rl_leaderboard.cli import main
from rl_leaderboard.people import people, tokens

CARD = b"""---
library_name: stable-baselines3
tags: [SpaceInvadersNoFrameskip-v4, deep-reinforcement-learning, reinforcement-learning]
model-index:
- name: DQN
  results:
  - task: {type: reinforcement-learning, name: reinforcement-learning}
    dataset: {name: SpaceInvadersNoFrameskip-v4, type: SpaceInvadersNoFrameskip-v4}
    metrics: [{type: mean_reward, value: 451.50 +/- 120.25, name: mean_reward, verified: false}]
---
"""


@pytest.fixture
def command(monkeypatch, tmp_path):
    """Runs a command on a classroom; returns its exit code."""
    monkeypatch.setenv("RL_LEADERBOARD_DATA", str(tmp_path / "classroom-data"))

    def run(*arguments):
        return main([str(argument) for argument in arguments])

    return run


def test_migrate_says_from_where_to_where(command, capsys):
    assert command("migrate") == 0
    assert capsys.readouterr().out.splitlines() == [
        "The database of the leaderboard went from empty to 0002.",
        "The database of the Hub went from empty to 0001.",
    ]
    assert command("migrate") == 0
    assert capsys.readouterr().out.splitlines() == [
        "The database of the leaderboard is already at 0002.",
        "The database of the Hub is already at 0001.",
    ]


def test_a_full_ingest_reads_the_embedded_hub(command, classroom, capsys):
    owner(classroom.hub).repository(**{"README.md": CARD})

    assert command("ingest", "--full") == 0
    assert "ada/agent for space-invaders: claims 331.25" in capsys.readouterr().out
    assert command("ingest", "--full") == 0
    assert "0 new submissions" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["backup", "x.tar"], ["export", "x"], ["ingest"]])
def test_a_mistyped_folder_is_told_and_not_made(command, tmp_path, capsys, arguments):
    assert command(*arguments) == 2
    assert "There is no classroom in" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["nonsense", "postgresql+psycopg://rl:secret@127.0.0.1:1/rl", "oracle://x/y"])
def test_a_database_that_cannot_be_used_is_told_in_a_sentence(command, monkeypatch, capsys, url):
    monkeypatch.setenv("RL_LEADERBOARD_DATABASE", url)

    assert command("migrate") == 2
    told = capsys.readouterr().err
    assert told.startswith("rl_leaderboard: ")
    assert "secret" not in told


def test_a_setting_that_cannot_be_read_is_told_in_a_sentence(command, monkeypatch, capsys):
    monkeypatch.setenv("RL_LEADERBOARD_HUB", "perhaps")

    assert command("migrate") == 2
    assert "RL_LEADERBOARD_HUB cannot be read" in capsys.readouterr().err


def test_a_missing_file_is_told_in_a_sentence(command, tmp_path, capsys):
    assert command("restore", tmp_path / "missing.tar") == 2
    assert "missing.tar: No such file" in capsys.readouterr().err


def test_the_module_is_a_command(tmp_path):
    finished = subprocess.run(
        [sys.executable, "-m", "rl_leaderboard", "--help"], capture_output=True, text=True, cwd=tmp_path
    )

    assert finished.returncode == 0
    assert all(name in finished.stdout for name in ("serve", "migrate", "ingest", "backup", "restore", "export"))


# Export


@pytest.fixture
def filled(classroom):
    """A class, a student with a pseudonym and a hostile name for an agent, a verified score; gives what is secret."""
    ada, grace = add_person(classroom, "ada"), add_person(classroom, "grace", "teacher")
    first, _ = submit(classroom, push("ada", name="=HYPERLINK(1)"), push("alan", mean=None))
    measure(classroom, first)
    user = owner(classroom.hub, "hopper").identity
    with classroom.hub.database.write() as connection:
        hub_token = hub_tokens.create(connection, user.user_id, "laptop", "write")
    with classroom.write() as connection:
        people.change_privacy(connection, ada, pseudonym="Countess", is_public=False)
        token = tokens.create(connection, ada.id, "laptop", "read")
        records.create(connection, "RL 2026", grace)
        log.record(connection, grace, "board.freeze", "space-invaders")
    return [token, hub_token, tokens.digest(token), tokens.digest(hub_token), classroom.secret.hex()]


def sheet(folder, name):
    return list(csv.DictReader(io.StringIO((folder / f"{name}.csv").read_text("utf-8-sig"))))


def test_an_export_has_boards_rosters_and_people_as_csv_and_json(command, filled, tmp_path, capsys):
    folder = tmp_path / "export"

    assert command("export", folder) == 0

    rows = sheet(folder, "boards/space-invaders")
    assert [(row["rank"], row["student"], row["pseudonym"], row["verified"]) for row in rows] == [
        ("1", "ada", "Countess", "yes"),
        ("2", "alan", "", "no"),
    ]
    assert rows[1]["score"] == ""
    assert [row["name"] for row in sheet(folder, "people")] == ["ada", "grace"]
    assert [(row["class"], row["name"], row["role"]) for row in sheet(folder, "rosters")] == [
        ("RL 2026", "grace", "teacher")
    ]
    assert [row["action"] for row in sheet(folder, "audit-log")][-1] == "board.freeze"
    assert len(sheet(folder, "episodes")) == 3
    submissions = json.loads((folder / "submissions.json").read_text("utf-8"))
    assert [(entry["student_name"], entry["claimed_mean"]) for entry in submissions] == [("ada", 300.0), ("alan", None)]
    assert "It holds names" in capsys.readouterr().out
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600} or os.name == "nt"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 or os.name == "nt"


def test_no_name_is_a_formula_in_a_spreadsheet(command, filled, tmp_path):
    command("export", tmp_path / "export")

    cells = [cell for row in sheet(tmp_path / "export", "boards/space-invaders") for cell in row.values()]
    assert "ada/=HYPERLINK(1)" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


def test_an_export_holds_no_secret(command, filled, tmp_path):
    command("export", tmp_path / "export")

    text = b"".join(path.read_bytes() for path in (tmp_path / "export").rglob("*") if path.is_file())
    assert [secret for secret in filled if secret.encode() in text] == []
    assert b"digest" not in text


def test_a_zip_holds_the_same(command, filled, tmp_path):
    command("export", tmp_path / "export")
    assert command("export", tmp_path / "export.zip") == 0

    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        names = {name: archive.read(name) for name in archive.namelist()}
    folder = tmp_path / "export"
    assert names == {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.*")}


def test_an_export_overwrites_nothing(command, filled, tmp_path, capsys):
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "mine.txt").write_text("mine")

    assert command("export", tmp_path / "export") == 2
    assert "is there already" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "export").iterdir()] == ["mine.txt"]
