"""Webhooks of other Hubs: they say that there is news, and nothing else is believed."""

import json

import pytest
from huggingface_hub import HfApi
from starlette.testclient import TestClient

from leaderboard_sources import eventually, rows, upload
from local_hub import LocalHub, User
from rl_leaderboard.settings import Settings
from rl_leaderboard.submissions.wanted import WantedRepository

HOOK = "/api/v1/hooks/hub"
SECRET = {"X-Webhook-Secret": "the secret"}
AWAY = "https://huggingface.co"


@pytest.fixture
def settings(tmp_path):
    # So far away that nobody asks it in these tests: no poll is due.
    return Settings(tmp_path / "classroom-data", sources=(AWAY, "http://127.0.0.1:9/hub"), webhook_secret="the secret")


@pytest.fixture
def client(app):
    """A program; nothing is polled meanwhile."""

    return TestClient(app, base_url="http://classroom.test")


def body(name="ada/agent", web=f"{AWAY}/ada/agent", kind="model", **more):
    repository = {"type": kind, "name": name, "headSha": "a" * 40, "url": {"web": web, "api": f"{web}/api"}}
    return {
        "event": {"action": "update", "scope": "repo.content"},
        "repo": repository,
        "webhook": {"version": 3},
        **more,
    }


def wishes(classroom):
    found = []
    for source in ("huggingface.co", "http://127.0.0.1:9/hub"):
        while (wanted := classroom.wanted.first(source)) is not None:
            found.append((wanted.source, wanted.repo_id))
            classroom.wanted.done(wanted)
    return found


def test_a_hubs_call_is_answered_at_once_and_its_repository_noted(client, classroom):
    answer = client.post(HOOK, json=body(), headers=SECRET)

    assert (answer.status_code, answer.json()) == (202, {"state": "noted"})
    assert classroom.wanted.news.is_set()
    assert wishes(classroom) == [("huggingface.co", "ada/agent")]


def test_the_address_may_name_the_hub(client, classroom):
    client.post(HOOK, params={"source": "http://127.0.0.1:9/hub"}, json=body(), headers=SECRET)

    assert wishes(classroom) == [("http://127.0.0.1:9/hub", "ada/agent")]


def test_a_move_concerns_both_names(client, classroom):
    client.post(HOOK, json=body(movedTo={"name": "ada/champion"}), headers=SECRET)

    assert wishes(classroom) == [("huggingface.co", "ada/agent"), ("huggingface.co", "ada/champion")]


def test_the_same_call_again_is_one_wish(client, classroom):
    for _ in range(3):
        client.post(HOOK, json=body(), headers=SECRET)

    assert len(wishes(classroom)) == 1


def test_the_embedded_hub_may_call_too(client, hub, classroom):
    answer = client.post(HOOK, params={"source": "hub"}, json=body(), headers=SECRET)

    assert answer.status_code == 202
    assert hub.wakeup.is_set()
    assert wishes(classroom) == []


def test_what_is_no_model_is_ignored(client, classroom):
    answer = client.post(HOOK, json=body(kind="dataset"), headers=SECRET)

    assert (answer.status_code, answer.json()) == (202, {"state": "ignored"})
    assert wishes(classroom) == []


@pytest.mark.parametrize("secret", [{}, {"X-Webhook-Secret": ""}, {"X-Webhook-Secret": "the Secret"}])
def test_without_the_secret_nothing_is_noted(client, classroom, secret):
    answer = client.post(HOOK, json=body(), headers=secret)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert wishes(classroom) == []


@pytest.mark.parametrize(
    "web",
    [
        "https://huggingface.co.evil.example/ada/agent",
        "https://evil.example/huggingface.co/ada/agent",
        "http://169.254.169.254/latest",
        "https://huggingface.co@evil.example/",
        "",
        None,
        7,
    ],
)
def test_a_hub_that_is_not_in_the_settings_is_never_asked(client, classroom, web):
    answer = client.post(HOOK, json=body(web=web), headers=SECRET)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert wishes(classroom) == []


def test_a_source_that_is_not_in_the_settings_is_refused(client):
    assert client.post(HOOK, params={"source": "evil.example"}, json=body(), headers=SECRET).status_code == 404


@pytest.mark.parametrize(
    "name", ["agent", "a/b/c", "../x", "ada/..%2f", "ada/agent?x=1", "ada/a b", "", None, 7, "a/" + "b" * 200]
)
def test_a_name_that_is_none_is_refused(client, classroom, name):
    answer = client.post(HOOK, json=body(name=name), headers=SECRET)

    assert answer.status_code == 400
    assert wishes(classroom) == []


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"repo": []}', b"\xff", b"[" * 100_000, b'{"repo": {"type": "model"}}', b"NaN"]
)
def test_a_body_that_is_none_is_refused(client, content):
    assert client.post(HOOK, content=content, headers=SECRET).status_code in (400, 404)


def test_a_body_of_more_than_a_megabyte_is_refused(client):
    answer = client.post(HOOK, content=json.dumps(body(padding="x" * 2**20)), headers=SECRET)

    assert answer.status_code == 413


def test_wishes_have_a_bound(client, classroom):
    for number in range(1000):
        assert classroom.wanted.add(WantedRepository("huggingface.co", f"ada/agent-{number}"))

    assert client.post(HOOK, json=body(), headers=SECRET).status_code == 429
    assert client.post(HOOK, json=body(name="ada/agent-7"), headers=SECRET).status_code == 202


class TestWithoutSecret:
    @pytest.fixture
    def settings(self, tmp_path):
        return Settings(tmp_path / "classroom-data", sources=(AWAY,))

    @pytest.mark.parametrize("secret", [{}, {"X-Webhook-Secret": ""}, {"X-Webhook-Secret": "None"}])
    def test_a_classroom_without_a_secret_takes_no_webhooks(self, client, secret):
        answer = client.post(HOOK, json=body(), headers=secret)

        assert answer.status_code == 403
        assert "RL_LEADERBOARD_WEBHOOK_SECRET" in answer.json()["error"]


class TestServed:
    @pytest.fixture
    def remote(self, tmp_path):
        with LocalHub(tmp_path / "remote", [User("ada", "hf_ada")]) as hub:
            yield hub

    @pytest.fixture
    def settings(self, tmp_path, remote):
        return Settings(
            tmp_path / "classroom-data", sources=(remote.endpoint,), poll_seconds=3600.0, webhook_secret="the secret"
        )

    def test_a_push_to_another_hub_is_on_the_board_soon_after_its_webhook(self, app, classroom, remote, tmp_path):

        with TestClient(app, base_url="http://classroom.test") as client:
            eventually(lambda: len(remote.requests) > 0, True)
            upload(HfApi(remote.endpoint, "hf_ada"), tmp_path / "agent")
            client.post(HOOK, json=body("ada/dqn-invader", f"{remote.endpoint}/ada/dqn-invader"), headers=SECRET)

            eventually(lambda: rows(classroom), [("ada", "ada/dqn-invader", 250.0)])
