"""What may differ between databases, on SQLite and on a real PostgreSQL: order, numbers, locks, times, processes."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_databases import ENGINES, new_classroom, postgresql, postgresql_template  # noqa: F401  fixtures
from leaderboard_people import Someone, add_person
from rl_hub import clock
from rl_leaderboard.activity import feed
from rl_leaderboard.boards import assignments, board
from rl_leaderboard.boards.board import Query
from rl_leaderboard.database import tables
from rl_leaderboard.people import people, sessions
from rl_leaderboard.submissions import submissions
from rl_leaderboard.web.app import create_app

# Sorted differently by bytes, by language, and without punctuation.
NAMES = ["Zoo", "a-1", "a.1", "a1", "a_1", "ab", "B", "b-2", "B2", "c"]
SUBMIT = """
import sys
from pathlib import Path
from leaderboard_agents import push, submit
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.settings import Settings
classroom = Classroom.open(Settings(Path(sys.argv[1]), database_url=sys.argv[2] or None))
submit(classroom, push("somebody"))
classroom.close()
"""
OPEN = """
import sys
import alembic.command
from pathlib import Path
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.settings import Settings
settings = Settings(Path(sys.argv[1]), database_url=sys.argv[2] or None)
print("ready", flush=True)
sys.stdin.readline()
Classroom.open(settings).close()
"""


@pytest.fixture(params=ENGINES)
def classroom(request, new_classroom):  # noqa: F811
    """Takes the place of the one on SQLite alone."""
    return new_classroom(request.param)


def page(classroom, **query):
    with classroom.read() as connection:
        return board.read_page(connection, Query(ASSIGNMENT, **query))


def walk(classroom, **query):
    """The students of a whole board, page by page."""
    seen, cursor = [], None
    while True:
        found = page(classroom, after=cursor, **query)
        seen += [row.student for row in found.rows]
        cursor = found.next
        if cursor is None:
            return seen


def test_ties_stand_in_one_order_on_every_page(classroom):
    """All scores are equal: the earlier commit stands above, and of one moment the one that came first."""
    moment = [push(name, mean=1, std=0, minutes_ago=5) for name in NAMES]
    submit(classroom, *moment, push("early", mean=1, std=0, minutes_ago=9))

    first = page(classroom, limit=50)

    assert first.rows[0].student == "early"
    assert walk(classroom, limit=3) == [row.student for row in first.rows]
    assert len(set(walk(classroom, limit=1))) == len(NAMES) + 1


def test_scores_are_ordered_by_value_verified_first_and_missing_last(classroom):
    claims = {"tiny": 1e-9, "minus": -3.5, "zero": 0.0, "huge": 9e11, "none": None}
    ids = submit(classroom, *(push(name, mean=mean, std=0) for name, mean in claims.items()))
    measure(classroom, ids[1], [-4.0, -4.0])

    assert walk(classroom, limit=2) == ["minus", "huge", "tiny", "zero", "none"]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), 1e13, -1e13])
@pytest.mark.parametrize("column", ["minus_score", "minus_mean"])
def test_the_database_itself_refuses_a_number_that_is_none(classroom, number, column):
    submit(classroom, push("ada"))

    with pytest.raises(DBAPIError), classroom.write() as connection:
        connection.execute(update(tables.standings).values({column: number}))
    assert [row.score for row in page(classroom).rows] == [250.0]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e13])
def test_no_claim_is_kept_that_is_no_number(classroom, number):
    submit(classroom, push("ada"))

    # SQLite takes NaN for NULL, which is no claim at all.
    try:
        with classroom.write() as connection:
            connection.execute(update(tables.submissions).values(claimed_score=number))
    except DBAPIError:
        pass
    with classroom.read() as connection:
        assert connection.scalar(select(tables.submissions.c.claimed_score)) in (None, 250.0)


def test_the_same_push_is_taken_in_once_however_many_bring_it(classroom):
    def bring(_):
        return submit(classroom, push("ada"))

    with ThreadPoolExecutor(6) as threads:
        found = [number for ids in threads.map(bring, range(12)) for number in ids]

    assert len(found) == 1
    with classroom.read() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.submissions)) == 1


def test_of_writers_at_the_same_time_nobody_loses_anything(classroom):
    def write(number):
        return submit(classroom, push(f"s{number % 8}", sha=f"{number:040x}", mean=number, std=0, minutes_ago=1))

    with ThreadPoolExecutor(8) as threads:
        ids = [number for found in threads.map(write, range(32)) for number in found]

    assert len(set(ids)) == 32
    assert [row.score for row in page(classroom).rows] == [float(number) for number in range(31, 23, -1)]
    with classroom.read() as connection:
        told = feed.after(connection, 0, 100)
    assert sorted(activity.submission_id for activity in told) == sorted(ids)


def test_a_score_and_a_teachers_decision_at_the_same_time_leave_one_truth(classroom):
    ids = submit(classroom, *(push(f"s{number}", mean=number, std=0) for number in range(6)))

    def decide(number):
        with classroom.write() as connection:
            submissions.retract(connection, submissions.get(connection, number), "Copied.")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(decide, ids[:3]))
        list(threads.map(lambda number: measure(classroom, number, [500.0, 500.0]), ids))

    rows = page(classroom).rows
    assert sorted(row.student for row in rows) == ["s3", "s4", "s5"]
    assert all(row.verified for row in rows)


def test_a_quota_holds_on_both(classroom):
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting="best", quota_per_day=2)
    for number in range(4):
        submit(classroom, push("ada", sha=f"{number:040x}", mean=number, std=0, minutes_ago=1))

    with classroom.read() as connection:
        over = select(tables.submissions.c.over_quota).order_by(tables.submissions.c.id)
        assert list(connection.scalars(over)) == [False, False, True, True]


def test_times_are_aware_and_exact(classroom):
    submit(classroom, push("ada"))

    with classroom.read() as connection:
        received = connection.scalar(select(tables.submissions.c.received_at))
    assert received.utcoffset().total_seconds() == 0
    assert abs((clock.now() - received).total_seconds()) < 60


def test_searching_takes_signs_as_they_are_and_letters_of_either_case(classroom):
    submit(classroom, *(push(name) for name in ("Ada_L", "adaxl", "ÉMILE"[1:])))

    assert [row.student for row in page(classroom, search="ADA_").rows] == ["Ada_L"]
    assert page(classroom, search="%").rows == []


def test_a_person_who_goes_takes_sessions_and_answers_along(classroom):
    ada = add_person(classroom, "ada")
    with classroom.write() as connection:
        sessions.create(connection, ada.id)
        people.remove(connection, ada)

    with classroom.read() as connection:
        assert connection.execute(select(tables.sessions)).all() == []
    # A number is not given to anybody else.
    assert add_person(classroom, "grace").id > ada.id


def test_a_page_that_was_kept_follows_what_another_process_writes(classroom):
    url = classroom.settings.database_url or ""
    with TestClient(create_app(classroom), base_url="http://classroom.test") as browser:
        before = browser.get(f"/boards/{ASSIGNMENT}").text
        command = [sys.executable, "-c", SUBMIT, str(classroom.settings.data), url]
        tests = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120  for PYTHONPATH
        subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": tests})
        classroom.look_again()
        after = browser.get(f"/boards/{ASSIGNMENT}").text

    assert "somebody" not in before
    assert "somebody" in after


def test_pages_are_shown_from_either_database(classroom):
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number)
    app = create_app(classroom)
    teacher = Someone.of(app, classroom, "grace", "admin")

    addresses = ["/", "/units", f"/boards/{ASSIGNMENT}", f"/agents/{number}", "/me", "/healthz", "/metrics"]
    addresses += ["/api/v1/boards", f"/api/v1/boards/{ASSIGNMENT}", "/api/v1/me", "/admin/people", "/admin/audit"]
    assert {address: teacher.get(address).status_code for address in addresses} == dict.fromkeys(addresses, 200)


@pytest.mark.parametrize("engine", ENGINES)
def test_several_processes_open_a_new_classroom_at_once(engine, tmp_path, request):
    url = request.getfixturevalue("postgresql").create_database() if engine == "postgresql" else ""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(tmp_path / "data"), url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()

    assert [process.communicate(timeout=60)[1] for process in processes] == ["", "", ""]
