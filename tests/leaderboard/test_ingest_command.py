"""`python -m rl_leaderboard ingest`: the Hubs are asked now, and what is new is printed."""

import pytest
from huggingface_hub import HfApi

from hub_accounts import token_for
from hub_server import served
from leaderboard_sources import rows, upload
from local_hub import Fault, LocalHub, User
from rl_hub.web.app import create_app as create_hub_app
from rl_leaderboard.cli import main
from rl_leaderboard.settings import Settings


@pytest.fixture
def remote(tmp_path):
    with LocalHub(tmp_path / "remote", [User("ada", "hf_ada")]) as hub:
        yield hub


@pytest.fixture
def settings(tmp_path, remote):
    return Settings(tmp_path / "classroom-data", sources=(remote.endpoint,))


@pytest.fixture
def ingest(monkeypatch, settings, classroom, remote, capsys):
    """Runs the command beside the open classroom; returns its exit code and what it has printed."""
    monkeypatch.setenv("RL_LEADERBOARD_DATA", str(settings.data))
    monkeypatch.setenv("RL_LEADERBOARD_SOURCES", remote.endpoint)

    def run(*arguments):
        code = main(["ingest", *arguments])
        return code, capsys.readouterr().out

    return run


def test_it_prints_what_is_new(ingest, remote, classroom, tmp_path):
    upload(HfApi(remote.endpoint, "hf_ada"), tmp_path / "agent")

    assert ingest() == (
        0,
        f"{remote.endpoint}: 1 new submission.\n  ada/dqn-invader for space-invaders: claims 250.00\n",
    )
    assert ingest() == (0, f"{remote.endpoint}: 0 new submissions.\n")
    assert rows(classroom) == [("ada", "ada/dqn-invader", 250.0)]


def test_all_of_it_is_read_if_asked_for_the_embedded_hub_too(ingest, hub, remote, classroom, tmp_path):
    ada = HfApi(remote.endpoint, "hf_ada")
    upload(ada, tmp_path / "agent")
    ingest()
    ada.delete_repo("ada/dqn-invader")
    with served(create_hub_app(hub)) as address:
        upload(HfApi(address, token_for(hub, "grace")), tmp_path / "agent", "grace/agent", mean=400)

    code, printed = ingest("--full")

    assert code == 0
    assert "The embedded Hub: 1 new submission.\n  grace/agent for space-invaders: claims 350.00" in printed
    assert rows(classroom) == [("grace", "grace/agent", 350.0)]


def test_a_hub_that_fails_is_named_with_its_problem(ingest, remote):
    remote.faults.append(Fault("/api/models", 503))

    code, printed = ingest()

    assert code == 1
    assert f"{remote.endpoint}: 0 new submissions.\n  {remote.endpoint} is not available for now (503)." in printed
