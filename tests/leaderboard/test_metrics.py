"""Health and metrics: what whoever watches over a classroom reads."""

import time
import urllib.request
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, text

from leaderboard_agents import ASSIGNMENT, push, submit
from leaderboard_people import add_person
from rl_hub import clock
from rl_leaderboard.boards import generations
from rl_leaderboard.database import tables
from rl_leaderboard.settings import Settings
from rl_leaderboard.submissions import submissions
from rl_leaderboard.web.traffic import BOUNDS


def samples(client):
    """The value of every sample, by its name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name.removeprefix("rl_classroom_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "classroom-data", sources=("https://huggingface.co", "https://hub.example.org"))


def test_a_sound_classroom_says_so(client):
    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {
        "healthy": True,
        "version": "0.1.0",
        "database": True,
        "disk": True,
        "hub": True,
        "sources_age_seconds": {"huggingface.co": None, "hub.example.org": None},
        "submissions_waiting": 0,
        "judges": 0,
        "judge_isolation": "none",
    }


def test_the_age_of_a_source_is_that_of_its_last_answer(client, classroom):
    rows = [
        {"source": "huggingface.co", "env_id": env_id, "newest_seen": "", "problem": "It does not answer."}
        | {"last_success_at": clock.now() - timedelta(hours=hours)}
        for env_id, hours in (("A-v1", 5), ("B-v1", 2))
    ]
    with classroom.write() as connection:
        connection.execute(insert(tables.source_states), rows)

    answer = client.get("/healthz")

    # Somebody else's Hub is down: what is here still works.
    assert answer.status_code == 200
    assert 7200 <= answer.json()["sources_age_seconds"]["huggingface.co"] < 7300
    stamp = samples(client)["source_last_success_timestamp_seconds", "huggingface.co"]
    assert clock.now().timestamp() - stamp == pytest.approx(7200, abs=60)


def test_submissions_that_wait_for_the_judge_are_counted(client, classroom):
    first, _ = submit(classroom, push("ada"), push("grace"))
    with classroom.write() as connection:
        submissions.queue(connection, submissions.get(connection, first))

    assert client.get("/healthz").json()["submissions_waiting"] == 1
    found = samples(client)
    assert (found["submissions", "queued"], found["submissions", "received"]) == (1, 1)


def test_a_database_that_does_not_answer_is_told_and_not_a_fault(client, classroom):
    with classroom.database.write() as connection:
        connection.execute(text("ALTER TABLE deliveries RENAME TO lost"))

    answer = client.get("/healthz")
    found = samples(client)

    assert answer.status_code == 503
    assert (answer.json()["healthy"], answer.json()["database"]) == (False, False)
    assert found["database_up",] == 0
    assert ("webhook_backlog",) not in found


def test_a_full_disk_is_told(client, monkeypatch):
    monkeypatch.setattr("rl_leaderboard.web.health._LITTLE_BYTES", 2**80)

    assert client.get("/healthz").status_code == 503
    assert samples(client)["disk_has_room",] == 0


def test_what_webhooks_have_still_to_be_told_is_counted(client, classroom):
    teacher = add_person(classroom, "grace", "teacher")
    row = {"owner_id": teacher.id, "url": "https://example.org", "secret": "s", "kinds": '["received"]'}
    with classroom.write() as connection:
        connection.execute(insert(tables.webhooks).values(**row, created_at=clock.now()))
    submit(classroom, push("ada"))
    with classroom.write() as connection:
        connection.execute(tables.deliveries.update().values(next_attempt_at=clock.now() + timedelta(days=1)))

    assert samples(client)["webhook_backlog",] == 1


def test_requests_are_counted_by_their_route_and_never_by_what_was_asked_for(client, classroom):
    (number,) = submit(classroom, push("ada"))
    client.get(f"/agents/{number}")
    client.get("/agents/999")
    client.get("/somebody/private")
    client.request("BREW", "/coffee")

    found = samples(client)

    assert found["requests_total", "GET", "/agents/{submission_id}", "200"] == 1
    assert found["requests_total", "GET", "/agents/{submission_id}", "404"] == 1
    assert found["requests_total", "GET", "(no such address)", "404"] == 1
    assert found["requests_total", "OTHER", "(no such address)", "404"] == 1
    assert "somebody" not in client.get("/metrics").text
    assert "ada" not in client.get("/metrics").text


def test_a_page_that_was_kept_counts_as_one(client, classroom):
    submit(classroom, push("ada"))
    client.get(f"/boards/{ASSIGNMENT}")
    client.get(f"/boards/{ASSIGNMENT}")

    assert samples(client)["requests_total", "GET", "(kept page)", "200"] == 1
    with classroom.write() as connection:
        generations.bump(connection, [ASSIGNMENT])
    client.get(f"/boards/{ASSIGNMENT}")
    assert samples(client)["requests_total", "GET", "/boards/{assignment_id}", "200"] == 2


def test_how_long_answers_took_is_a_histogram(client):
    client.get("/healthz")

    found = samples(client)

    buckets = [found["request_seconds_bucket", str(bound), "/healthz"] for bound in BOUNDS]
    assert buckets == sorted(buckets)
    assert found["request_seconds_bucket", "+Inf", "/healthz"] == found["request_seconds_count", "/healthz"] == 1
    assert 0 < found["request_seconds_sum", "/healthz"] < 60


def test_an_open_event_stream_is_counted_until_it_ends(endpoint, client):
    def streams():
        with urllib.request.urlopen(f"{endpoint}/metrics", timeout=30) as answer:
            return next(line for line in answer.read().decode().splitlines() if line.startswith("rl_classroom_event_s"))

    def becomes(value):
        deadline = time.monotonic() + 30
        while not streams().endswith(f" {value}") and time.monotonic() < deadline:
            time.sleep(0.1)
        return streams().endswith(f" {value}")

    with urllib.request.urlopen(f"{endpoint}/live", timeout=30):
        assert becomes("1.0")
    assert becomes("0.0")
