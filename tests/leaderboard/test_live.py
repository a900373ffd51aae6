"""The stream of what happens, read from a served classroom."""

import contextlib
import json
import subprocess
import sys
import time

import anyio
import httpx2
import pytest
from fastapi import Request
from sqlalchemy import select

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_people import add_person
from leaderboard_process import serving
from rl_leaderboard.activity import feed
from rl_leaderboard.database.tables import activities
from rl_leaderboard.people import people
from rl_leaderboard.submissions import submissions, whereabouts
from rl_leaderboard.web import live
from rl_leaderboard.web.live import Broadcaster, Queue
from rl_leaderboard.web.networks import network_of
from rl_leaderboard.web.pages import live as live_pages


@contextlib.contextmanager
def listening(endpoint, path="/live", **headers):
    """An open stream: its answer, and its messages as they come."""
    with httpx2.stream("GET", f"{endpoint}{path}", headers=headers, timeout=10) as response:
        assert response.status_code == 200
        lines = response.iter_lines()
        # The first message only says when to come back; from then on nothing is missed.
        assert next(lines) == "retry: 2000"
        yield response, messages(lines)


def messages(lines):
    fields = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
        elif "data" in fields:
            yield int(fields["id"]), fields["event"], json.loads(fields["data"])
            fields = {}


def newest(classroom):
    with classroom.read() as connection:
        return feed.newest_id(connection)


def test_what_happens_is_told_at_once(classroom, endpoint):
    with listening(endpoint) as (response, told):
        started = time.monotonic()
        (number,) = submit(classroom, push("ada", mean=300, std=50))
        event_id, kind, data = next(told)

    assert time.monotonic() - started < 1
    assert response.headers["content-type"].startswith("text/event-stream")
    assert (event_id, kind) == (newest(classroom), "received")
    assert (data["assignment"], data["submission"], data["path"]) == (ASSIGNMENT, number, f"/agents/{number}")
    assert data["sentence"] == "ada handed in invader for Space Invaders, score 250.00 by its card."


@pytest.mark.parametrize("by", ["header", "address", "header before address"])
def test_who_comes_back_is_told_first_what_it_has_missed(classroom, endpoint, by):
    submit(classroom, push("ada"))
    seen = newest(classroom)
    submit(classroom, push("bob"), push("eve"))
    path = {"header": "/live", "address": f"/live?after={seen}", "header before address": "/live?after=0"}[by]
    headers = {"Last-Event-ID": str(seen)} if "header" in by else {}

    with listening(endpoint, path, **headers) as (_, told):
        missed = [next(told)[2]["payload"]["student"] for _ in range(2)]
        submit(classroom, push("zoe"))
        then = next(told)[2]["payload"]["student"]

    assert (missed, then) == (["bob", "eve"], "zoe")


def test_who_has_missed_too_much_is_told_the_newest_of_it(classroom, endpoint, monkeypatch):
    monkeypatch.setattr(live_pages, "MOST_MISSED", 3)
    submit(classroom, *(push(f"s{number}") for number in range(5)))

    with listening(endpoint, "/live?after=0") as (_, told):
        missed = [next(told)[2]["payload"]["student"] for _ in range(3)]

    assert missed == ["s2", "s3", "s4"]


@pytest.mark.parametrize("seen", ["99999", "9" * 19, "x", "-1", "²"])
def test_an_activity_that_nobody_knows_hides_nothing_that_comes(classroom, endpoint, seen):
    with listening(endpoint, **{"Last-Event-ID": seen.encode()}) as (_, told):
        submit(classroom, push("ada"))

        assert next(told)[1] == "received"


def test_what_another_process_writes_is_told(classroom, endpoint):
    program = (
        "import sys; from pathlib import Path; from leaderboard_agents import push, submit\n"
        "from rl_leaderboard.classroom import Classroom; from rl_leaderboard.settings import Settings\n"
        "submit(Classroom.open(Settings(Path(sys.argv[1]))), push('ada'))"
    )
    with listening(endpoint) as (_, told):
        command = [sys.executable, "-W", "ignore", "-c", program, str(classroom.settings.data)]
        subprocess.run(command, check=True, cwd="tests", timeout=60)

        assert next(told)[2]["payload"]["student"] == "ada"


def test_a_reason_with_line_ends_is_one_message(classroom, endpoint):
    (number,) = submit(classroom, push("ada"))
    with listening(endpoint) as (_, told):
        with classroom.write() as connection:
            submissions.fail(connection, submissions.get(connection, number), "no\n\nevent: scored\ndata: {}\r\r")

        assert next(told)[1] == "failed"


def test_the_name_behind_a_pseudonym_is_told_to_nobody_afterwards(classroom, endpoint):
    submit(classroom, push("ada"))
    person = add_person(classroom, "ada")
    with classroom.write() as connection:
        people.change_privacy(connection, person, pseudonym="Countess", is_public=False)

    with listening(endpoint, "/live?after=0") as (_, told):
        data = next(told)[2]

    assert (data["payload"]["student"], data["payload"]["agent"]) == ("Countess", "Agent 1")
    assert "ada" not in json.dumps(data)


@pytest.mark.parametrize("is_public", [True, False])
def test_a_certificate_is_told_with_the_name_of_who_shows_it(classroom, is_public):
    person = add_person(classroom, "ada")
    with classroom.write() as connection:
        people.change_privacy(connection, person, pseudonym="", is_public=is_public)
        feed.record(connection, "certified", {"student": "ada", "level": "completion"}, person_id=person.id)

    with classroom.read() as connection:
        (activity,) = feed.latest(connection, 5)

    assert activity.payload["student"] == ("ada" if is_public else "A student")


def test_an_agent_that_is_gone_is_not_told_of_any_more(classroom, client):
    kept, gone, retracted = submit(classroom, push("ada"), push("bob"), push("eve"))
    with classroom.write() as connection:
        whereabouts.forget(connection, "hub", "bob/invader")
        submissions.retract(connection, submissions.get(connection, retracted), "Copied.")

    items = client.get("/live/latest?after=0").json()["items"]

    assert [item["submission"] for item in items] == [kept]
    with classroom.read() as connection:
        assert [activity.submission_id for activity in feed.after(connection, 0, 9)] == [kept]
    assert gone not in [item["submission"] for item in client.get("/api/v1/activity").json()["items"]]


def test_nothing_new_is_told_of_an_agent_that_was_retracted(classroom):
    (number,) = submit(classroom, push("ada"))
    with classroom.write() as connection:
        submissions.retract(connection, submissions.get(connection, number), "Copied.")
        before = feed.newest_id(connection)
        submissions.queue(connection, submissions.get(connection, number))
        submissions.restore(connection, submissions.get(connection, number))

    with classroom.read() as connection:
        assert feed.newest_id(connection) == before
        assert [activity.kind for activity in feed.after(connection, 0, 9)] == ["received"]


def test_names_are_shown_and_never_written_down(classroom):
    """Whoever takes a pseudonym, or leaves, would otherwise be found in what was told before."""
    submit(classroom, push("ada"))

    with classroom.read() as connection:
        assert feed.latest(connection, 1)[0].payload["agent"] == "ada/invader"
        assert "ada" not in connection.scalar(select(activities.c.payload))


def test_scripts_without_a_stream_ask_for_the_same(classroom, client):
    first = client.get("/live/latest").json()
    submit(classroom, push("ada"), push("bob"))
    news = client.get(f"/live/latest?after={first['last']}")

    assert first == {"items": [], "last": 0}
    assert [item["payload"]["student"] for item in news.json()["items"]] == ["ada", "bob"]
    assert news.json()["last"] == news.json()["items"][-1]["id"]
    assert news.headers["cache-control"] == "no-store"


def test_the_api_tells_the_newest_of_what_followed(classroom, client):
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number)

    answer = client.get("/api/v1/activity?limit=1").json()

    assert [item["kind"] for item in answer["items"]] == ["scored"]
    assert client.get(f"/api/v1/activity?after={answer['last']}").json()["items"] == []


def test_a_quiet_stream_shows_that_it_is_there(endpoint, monkeypatch):
    monkeypatch.setattr(live_pages, "_HEARTBEAT_SECONDS", 0.1)
    with httpx2.stream("GET", f"{endpoint}/live", timeout=10) as response:
        lines = response.iter_lines()

        assert any(line.startswith(": ") for line in (next(lines) for _ in range(6)))


def test_one_more_than_there_is_room_for_is_told_so(endpoint, monkeypatch):
    monkeypatch.setattr(live, "MOST_CLIENTS", 1)
    with listening(endpoint):
        refused = httpx2.get(f"{endpoint}/live")
        assert refused.status_code == 503
        assert "Reload the page" in refused.text

    def fits():
        with listening(endpoint):
            return True

    assert eventually(fits)


def test_nobody_takes_more_than_half_of_the_places_that_the_others_leave(classroom, monkeypatch):
    monkeypatch.setattr(live, "MOST_CLIENTS", 8)
    broadcaster = Broadcaster(classroom, lambda _: b"")

    def take(network):
        """How many more of a network can look on."""
        number = 0
        while broadcaster.has_room(network):
            stack.enter_context(broadcaster.listening(network))
            number += 1
        return number

    with contextlib.ExitStack() as stack:
        assert [take(network) for network in ("a school", "a home", "a phone", "late")] == [4, 2, 1, 1]
        assert not broadcaster.has_room("somebody else")
    assert broadcaster.has_room("a school"), "whoever leaves gives the place back"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::"),
        ("testclient", "testclient"),
        (None, ""),
    ],
)
def test_all_addresses_that_one_home_has_count_as_one(address, network):
    client = None if address is None else (address, 5000)

    assert network_of(Request({"type": "http", "client": client})) == network


def eventually(question, seconds=5):
    """Whether the answer becomes yes; a failure counts as no."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(AssertionError):
            if question():
                return True
        time.sleep(0.05)
    return False


def test_a_client_that_leaves_gives_its_place_back(app, endpoint):
    with listening(endpoint):
        assert app.state.live.clients == 1

    assert eventually(lambda: app.state.live.clients == 0)


def test_a_client_that_does_not_keep_up_is_let_go_with_what_it_has():
    async def run():
        queue = Queue()
        queue.put([(number, b"") for number in range(150)])
        queue.put([(150, b"")])
        told = []
        while found := await queue.get():
            told.append(found[0])
        queue.drop()
        return told

    told = anyio.run(run)

    assert told == list(range(len(told)))
    assert 0 < len(told) < 150


def test_many_clients_are_told_within_a_second(classroom, endpoint):
    async def listen(client, told):
        async with client.stream("GET", f"{endpoint}/live") as response:
            ready.append(True)
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    told.append(time.monotonic())
                    return

    ready = []

    async def run():
        told = []
        limits = httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(timeout=30, limits=limits) as client, anyio.create_task_group() as group:
            for _ in range(60):
                group.start_soon(listen, client, told)
            while len(ready) < 60:
                await anyio.sleep(0.05)
            await anyio.sleep(0.2)
            moments.append(time.monotonic())
            await anyio.to_thread.run_sync(submit, classroom, push("ada"))
        return told

    moments = []
    told = anyio.run(run)

    assert len(told) == 60
    assert max(told) - moments[0] < 1


def test_a_server_that_stops_ends_what_is_open_in_good_order(tmp_path):
    log = tmp_path / "log"
    with log.open("w") as errors, serving(tmp_path / "classroom-data", hub=False, errors=errors) as process:
        with listening(process.address) as (_, told):
            started = time.monotonic()
            assert process.stop() == 0
            assert list(told) == []
        assert time.monotonic() - started < 4

    assert log.read_text() == ""
