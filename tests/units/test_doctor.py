"""The page names every problem with its fix, never shows a token, and fails only where training would."""

import importlib.metadata
import shutil
import tempfile
from collections import namedtuple

import huggingface_hub.constants
import pytest

from rl_units import doctor
from rl_units.cli import main
from rl_units.doctor import Check, check_display, check_folder, check_games, check_hub, check_packages, report
from rl_units.errors import EvaluationError

TOKEN = "hf_secretsecretsecret"
Usage = namedtuple("Usage", "free")


@pytest.fixture
def hub(monkeypatch):
    """A Hub that answers; a test says who is there."""
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://hub.test")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    asked = []

    class Session:
        def get(self, url, timeout):
            asked.append((url, timeout))

    monkeypatch.setattr(huggingface_hub, "get_session", Session)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: TOKEN)
    return asked


def log_in(monkeypatch, answer):
    def whoami(_api):
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(huggingface_hub.HfApi, "whoami", whoami)


def person(role):
    return {"name": "alice", "auth": {"accessToken": {"role": role}}}


def test_page_aligns_names_and_puts_fixes_below():
    page = report([Check("GPU", "warn", "none", "buy one"), Check("ffmpeg", "ok", "7.0")])
    assert page.splitlines() == ["warn  GPU     none", "              -> buy one", "ok    ffmpeg  7.0"]


def test_every_problem_has_a_fix_and_everything_else_none(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "check_hub", list)  # the real one would ask the network
    checks = doctor.examine(tmp_path)
    assert len(checks) >= 7
    assert all(bool(check.fix) == (check.status != "ok") for check in checks)


def test_broken_check_does_not_hide_the_others(monkeypatch, tmp_path):
    def check_torch():
        raise ImportError("no torch")

    for name in ("check_packages", "check_games", "check_ffmpeg"):
        monkeypatch.setattr(doctor, name, list)
    monkeypatch.setattr(doctor, "check_torch", check_torch)
    monkeypatch.setattr(doctor, "check_hub", lambda: [Check("Hub", "ok", "answers")])
    checks = doctor.examine(tmp_path)
    assert [check.found for check in checks if check.name == "torch"] == ["ImportError: no torch"]
    assert checks[-1].name == "Hub"


@pytest.mark.parametrize(("statuses", "code"), [(["ok", "warn"], 0), (["ok", "fail"], 2)])
def test_command_prints_the_page_and_fails_only_for_failures(monkeypatch, capsys, statuses, code):
    found = [Check(f"check {status}", status, "found") for status in statuses]
    monkeypatch.setattr(doctor, "examine", lambda _folder: found)
    assert main(["doctor"]) == code
    assert capsys.readouterr().out.strip() == report(found)


def test_old_package_is_named_with_the_command_that_mends_it(monkeypatch):
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.1" if name == "torch" else real(name))
    assert [(check.name, check.fix) for check in check_packages()] == [("torch", 'pip install "torch>=2.10"')]


def test_missing_package_is_named(monkeypatch):
    real = importlib.metadata.version

    def version(name):
        if name == "optuna":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert [(check.name, check.found) for check in check_packages()] == [("optuna", "not installed")]


def test_old_python_is_named(monkeypatch):
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.9.1")
    assert doctor.check_python()[0].status == "fail"


def test_game_that_does_not_start_fails_only_if_it_is_required(monkeypatch):
    def refuse(protocol):
        raise EvaluationError(f"{protocol.env_id} has no ROM")

    monkeypatch.setattr("rl_units.environments.make_environment", refuse)
    statuses = {check.name: check.status for check in check_games()}
    assert statuses["SpaceInvadersNoFrameskip-v4"] == "fail"
    assert statuses["PongNoFrameskip-v4"] == "warn"


def test_missing_ffmpeg_is_a_failure(monkeypatch, tmp_path):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "nothing"))
    assert doctor.check_ffmpeg()[0].status == "fail"


@pytest.mark.parametrize(
    ("screen", "xvfb", "status"), [(True, None, "ok"), (False, "/usr/bin/Xvfb", "ok"), (False, None, "warn")]
)
def test_display_is_a_screen_or_xvfb(monkeypatch, screen, xvfb, status):
    monkeypatch.setattr(doctor, "has_screen", lambda: screen)
    monkeypatch.setattr(shutil, "which", lambda _program: xvfb)
    assert check_display()[0].status == status


@pytest.mark.parametrize(("free", "status"), [(3e9, "ok"), (1e9, "warn"), (1e8, "fail")])
def test_disk_needs_room_for_a_run(monkeypatch, tmp_path, free, status):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(free))
    assert check_folder(tmp_path)[0].status == status


def test_folder_that_does_not_exist_yet_is_judged_by_its_parent(tmp_path):
    checks = check_folder(tmp_path / "logs" / "deeper")
    assert checks[1] == Check("log folder", "ok", f"{tmp_path} can be written")


def test_folder_that_cannot_be_written_is_a_failure(monkeypatch, tmp_path):
    def refuse(**_keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert check_folder(tmp_path)[1].status == "fail"


@pytest.mark.parametrize(("role", "status"), [("write", "ok"), ("fineGrained", "ok"), ("read", "warn")])
def test_role_of_the_token_is_told_and_the_token_is_not(monkeypatch, hub, role, status):
    log_in(monkeypatch, person(role))
    checks = check_hub()
    assert checks[1].status == status
    assert checks[1].found == f"of alice, role {role}"
    assert TOKEN not in report(checks)


def test_hub_is_asked_with_a_short_timeout(monkeypatch, hub):
    log_in(monkeypatch, person("write"))
    check_hub()
    assert hub == [("http://hub.test/api/whoami-v2", 5.0)]


def test_refused_token_is_a_warning_without_the_token(monkeypatch, hub):
    log_in(monkeypatch, RuntimeError(f"401 for {TOKEN}"))
    checks = check_hub()
    assert checks[1].status == "warn"
    assert TOKEN not in report(checks)


def test_missing_token_names_the_login(monkeypatch, hub):
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    assert "hf auth login" in check_hub()[1].fix


def test_unreachable_hub_is_a_warning_only(monkeypatch, hub):
    def refuse():
        raise ConnectionError

    monkeypatch.setattr(huggingface_hub, "get_session", refuse)
    assert [check.status for check in check_hub()] == ["warn"]


def test_hub_that_is_switched_off_is_not_asked(monkeypatch, hub):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in check_hub()[0].found
    assert hub == []
