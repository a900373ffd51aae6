"""An agent's files from the Hub: what is fetched, from where, and what is refused."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hub_server import served
from mlagents_files import pushed as pushed_run
from page_visitors import commit, person, repository
from rl_hub.web.app import create_app as create_hub
from rl_leaderboard.judge.failures import NotNow, Refused
from rl_leaderboard.judge.fetching import embedded, remote
from rl_leaderboard.judge.fetching.choice import MOST_BYTES, MOST_FILE_BYTES, MOST_FILES, choose

FILES = {"README.md": "# Agent", "agent.json": "{}", "agent.safetensors": "weights", "replay.mp4": "film"}
WANTED = {"agent.json": "{}", "agent.safetensors": "weights"}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "fetched"
    made.mkdir()
    return made


@pytest.fixture
def pushed(hub):
    """A repository on the embedded Hub with an agent in it."""
    return repository(person(hub, "ada"), "agent", FILES)


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


@contextlib.contextmanager
def answering(answers):
    """A server that is no Hub: an answer's status, headers and body by its path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("Authorization")))
            status, headers, body = answers.get(self.path.partition("?")[0], (404, {}, b""))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def listing(**sizes):
    return json.dumps({"siblings": [{"rfilename": name, "size": size} for name, size in sizes.items()]}).encode()


def test_only_what_an_agent_is_loaded_from_is_fetched(hub, pushed, folder):
    embedded.fetch(hub, pushed.repo_id, pushed.sha, folder)

    assert contents(folder) == WANTED


def test_the_commit_that_was_handed_in_is_fetched_whatever_came_later(hub, folder):
    ada = person(hub, "ada")
    first = repository(ada, "agent", {"agent.json": "first"})
    commit(ada, first, {"agent.json": "second"})

    embedded.fetch(hub, first.repo_id, first.sha, folder)

    assert contents(folder) == {"agent.json": "first"}


def test_a_repository_that_is_private_by_now_is_refused(hub, folder):
    hidden = repository(person(hub, "ada"), "agent", FILES, private=True)

    with pytest.raises(Refused, match="gone or private"):
        embedded.fetch(hub, hidden.repo_id, hidden.sha, folder)


def test_a_commit_that_is_gone_is_refused(hub, pushed, folder):
    with pytest.raises(Refused, match="has no commit"):
        embedded.fetch(hub, pushed.repo_id, "f" * 40, folder)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([], "missing-file"),
        ([("README.md", 1), ("sub/agent.json", 1), (".agent.json", 1), ("train_eval_metrics.zip", 1)], "missing-file"),
        ([("a\\b.zip", 1), ("a\u202eb.zip", 1), (f"{'a' * 200}.zip", 1)], "missing-file"),
        ([(f"{number}.zip", 1) for number in range(MOST_FILES + 1)], "too-many-files"),
        ([("agent.zip", MOST_FILE_BYTES + 1)], "too-large"),
        ([("a.zip", MOST_BYTES // 2 + 1), ("b.zip", MOST_BYTES // 2 + 1)], "too-large"),
    ],
    ids=["nothing", "elsewhere", "odd names", "too many", "too large", "too large together"],
)
def test_what_is_no_agent_is_refused_with_its_reason(files, reason):
    with pytest.raises(Refused) as refusal:
        choose(files)

    assert refusal.value.reason == reason
    assert refusal.value.sentence.endswith(".")


def test_of_a_run_of_ml_agents_only_the_model_at_the_top_is_fetched():
    files = [(name, len(content)) for name, content in pushed_run("SnowballFight", b"graph").items()]

    assert choose(files) == [("SnowballFight.onnx", 5)]


def test_another_hub_gives_the_same_files(hub, pushed, folder):
    with served(create_hub(hub)) as address:
        remote.fetch(address, None, pushed.repo_id, pushed.sha, folder)

    assert contents(folder) == WANTED


def test_a_repository_that_another_hub_does_not_have_is_refused(hub, folder):
    with served(create_hub(hub)) as address, pytest.raises(Refused, match="gone or private"):
        remote.fetch(address, None, "ada/nothing", "a" * 40, folder)


def test_a_hub_that_is_down_is_asked_again_later(folder):
    with pytest.raises(NotNow, match="cannot be reached"):
        remote.fetch("http://127.0.0.1:9", None, "ada/agent", "a" * 40, folder)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"siblings": 3}', b"[" * 100_000], ids=range(5))
def test_what_answers_as_no_hub_does_is_asked_again_later(body, folder):
    answers = {"/api/models/ada/agent/revision/" + "a" * 40: (200, {}, body)}
    with answering(answers) as (address, _), pytest.raises(NotNow, match="not as a Hub does"):
        remote.fetch(address, None, "ada/agent", "a" * 40, folder)


def test_a_file_is_never_followed_to_a_host_that_nobody_has_named(folder):
    sha = "a" * 40
    with answering({}) as (elsewhere, asked_elsewhere):
        answers = {
            f"/api/models/ada/agent/revision/{sha}": (200, {}, listing(**{"agent.zip": 4})),
            f"/ada/agent/resolve/{sha}/agent.zip": (302, {"Location": f"{elsewhere}/secret"}, b""),
        }
        with answering(answers) as (address, asked), pytest.raises(NotNow, match="not fetched from"):
            remote.fetch(address, "hf_secret", "ada/agent", sha, folder)

    assert asked_elsewhere == []
    assert {token for _, token in asked} == {"Bearer hf_secret"}


def test_a_file_that_says_it_is_small_and_is_not_is_cut_off(folder, monkeypatch):
    sha = "a" * 40
    answers = {
        f"/api/models/ada/agent/revision/{sha}": (200, {}, listing(**{"agent.zip": 4})),
        f"/ada/agent/resolve/{sha}/agent.zip": (200, {}, b"x" * 2**20),
    }
    monkeypatch.setattr(remote, "MOST_BYTES", 1000)
    with answering(answers) as (address, _), pytest.raises(Refused, match="more than"):
        remote._download(address, None, "ada/agent", sha, folder)
