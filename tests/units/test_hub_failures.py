"""What a student reads when a Hub refuses, fails or is not there."""

import shutil

import pytest
from huggingface_hub.errors import OfflineModeIsEnabled

from local_hub import Fault, LocalHub, User
from rl_units.cli import main
from rl_units.errors import HubError
from rl_units.hub import repository
from rl_units.hub.client import open_hub
from rl_units.hub.transfer import Snapshot, download_files
from run_folders import ENV_ID, make_run

USERS = [
    User("alice", "hf_write", orgs={"school": "write", "club": "read"}),
    User("rita", "hf_read", role="read"),
    User("fred", "hf_fine", role="fineGrained", orgs={"school": "write"}, scopes=("school",)),
]
LATER = {"Retry-After": "3600"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    logs = tmp_path_factory.mktemp("trained")
    make_run(logs)
    return logs


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    with LocalHub(tmp_path / "hub", USERS) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("HF_TOKEN", "hf_write")
        yield running


def push(logs, *flags):
    run = ["--algo", "dqn", "--env", ENV_ID, "-f", str(logs)]
    return main(["push_to_hub", *run, "--no-render", "--n-eval-episodes", "1", *flags])


@pytest.mark.parametrize(
    ("token", "organization", "fault", "sentence"),
    [
        ("hf_unknown", None, None, "does not accept your token"),
        ("hf_read", None, None, "may only read"),
        ("hf_fine", None, None, "fine-grained token"),
        ("hf_write", "teacher", None, "as alice, and teacher is not yours. You can push to: alice, school."),
        ("hf_write", "club", None, "your role in club is 'read'"),
        ("hf_write", None, Fault("whoami", 200), "does not answer as a Hub does"),
        ("hf_write", None, Fault("whoami", 404), "Check HF_ENDPOINT"),
        ("hf_write", None, Fault("whoami", 429, headers=LATER), "Wait 3600 seconds"),
        ("hf_write", None, Fault("whoami", 500), "is in trouble (error 500)"),
        ("hf_write", None, Fault("whoami"), "cannot be reached"),
        ("hf_write", None, Fault("create", 403), "does not let you write to alice/dqn-CartPole-v1"),
        ("hf_write", None, Fault("create", 409), "does not answer as a Hub does"),
        ("hf_write", None, Fault("create", 503), "is in trouble (error 503)"),
    ],
)
def test_what_can_be_refused_is_refused_before_evaluating(
    hub, trained, monkeypatch, capsys, token, organization, fault, sentence
):
    monkeypatch.setattr(repository, "evaluate", lambda *_, **__: pytest.fail("evaluated"))
    monkeypatch.setenv("HF_TOKEN", token)
    hub.faults = [fault] if fault else []
    assert push(trained, *(["-orga", organization] if organization else [])) == 2
    assert sentence in capsys.readouterr().err


def test_without_a_token_the_way_to_one_is_shown(hub, trained, monkeypatch, capsys):
    monkeypatch.setattr("rl_units.hub.client.get_token", lambda: None)
    assert push(trained) == 2
    error = capsys.readouterr().err
    assert all(word in error for word in (f"{hub.endpoint}/settings/tokens", "hf auth login", "--to-folder"))


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault("/commit/", 400), "refuses the request for alice/dqn-CartPole-v1"),
        (Fault("/commit/", 403), "does not let you write"),
        (Fault("/commit/", 412), "changed alice/dqn-CartPole-v1"),
        (Fault("/commit/", 413), "too large"),
        (Fault("/commit/", 429), "too many requests"),
        (Fault("/commit/", 500), "in trouble (error 500)"),
        (Fault("/commit/"), "cannot be reached"),
        (Fault("validate-yaml"), "cannot be reached"),
    ],
)
def test_a_push_that_fails_keeps_everything_and_says_how_to_finish(hub, trained, tmp_path, capsys, fault, sentence):
    shutil.copytree(trained, tmp_path / "logs")
    hub.faults = [fault]
    assert push(tmp_path / "logs") == 2
    error = capsys.readouterr().err
    folder = tmp_path / "logs" / "dqn" / f"{ENV_ID}_1" / "hub" / "dqn-CartPole-v1"
    assert sentence in error
    assert f"Everything is kept in {folder}: run the same command again" in error
    assert (folder / "results.json").is_file()


def test_a_card_that_the_hub_refuses_is_named(hub, trained, tmp_path, monkeypatch, capsys):
    shutil.copytree(trained, tmp_path / "logs")
    monkeypatch.setattr(repository, "render_card", lambda _: "---\nmodel-index: [{a: 1}]\n---\n")
    assert push(tmp_path / "logs") == 2
    assert '"model-index[0].name" is required' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "fault", "sentence"),
    [
        (["-orga", "nobody"], None, "has no repository nobody/dqn-CartPole-v1"),
        (["-orga", "alice", "--revision", "v9"], None, "has no such revision"),
        (["-orga", "alice", "-name", "a b"], None, "not a name that a repository can have"),
        (["-orga", "alice", "-name", "empty"], None, "holds no agent that can be read"),
        (["-orga", "alice"], Fault("/resolve/", 500), "in trouble (error 500)"),
        (["-orga", "alice"], Fault("/resolve/"), "cannot be reached"),
        (["-orga", "alice"], Fault("/revision/", 429), "too many requests"),
        (["-orga", "alice"], Fault("/revision/", 401), "does not accept your token"),
    ],
)
def test_a_failed_fetch_leaves_nothing_behind(hub, tmp_path, capsys, flags, fault, sentence):
    hub.commit("alice/dqn-CartPole-v1", {"agent.json": b"{}", "agent.safetensors": b""})
    hub.commit("alice/empty", {"notes.txt": b""})
    hub.faults = [fault] if fault else []
    arguments = ["load_from_hub", "--algo", "dqn", "--env", ENV_ID, "-f", str(tmp_path / "logs"), *flags]
    assert main(arguments) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "logs").exists()


def test_a_hub_that_is_not_running_is_a_sentence(trained, monkeypatch, capsys):
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    assert push(trained) == 2
    assert "http://127.0.0.1:9 cannot be reached" in capsys.readouterr().err


def test_the_pause_that_a_hub_asks_for_is_kept(hub, trained, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr("time.sleep", pauses.append)
    hub.faults = [Fault("whoami", 429, times=1, headers={"Retry-After": "30"})]
    shutil.copytree(trained, tmp_path / "logs")
    assert push(tmp_path / "logs") == 0
    assert pauses[0] == 30


def test_an_address_that_is_none_is_refused(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "hub.school.example")
    with pytest.raises(HubError, match="no web address"):
        open_hub(print)


def test_the_token_is_not_part_of_the_clients_text(hub):
    assert "hf_write" not in repr(open_hub(print))


def test_offline_mode_is_named(hub):
    def request():
        raise OfflineModeIsEnabled("offline")

    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set"):
        open_hub(print).attempt(request)


def test_a_file_of_unknown_size_is_not_downloaded(hub, tmp_path):
    snapshot = Snapshot("alice/agent", "0" * 40, {"agent.json": None})
    with pytest.raises(HubError, match=r"does not say how large agent\.json"):
        download_files(open_hub(print), snapshot, {"agent.json": 100}, tmp_path)


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700::1111]"])
def test_the_token_does_not_travel_unencrypted_to_the_internet(monkeypatch, host):
    monkeypatch.setenv("HF_ENDPOINT", f"http://{host}:8000")
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    with pytest.raises(HubError, match="not encrypted"):
        open_hub(print)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "192.168.1.7", "10.0.0.2", "[::1]"])
def test_a_hub_in_the_classroom_needs_no_encryption(monkeypatch, host):
    monkeypatch.setenv("HF_ENDPOINT", f"http://{host}:8000")
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    assert open_hub(print).token == "hf_write"


def test_without_a_token_any_address_is_read(monkeypatch):
    monkeypatch.setattr("rl_units.hub.client.get_token", lambda: None)
    monkeypatch.setenv("HF_ENDPOINT", "http://8.8.8.8")
    assert open_hub(print).token is None
