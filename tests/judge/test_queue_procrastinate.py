"""What only the queue that Procrastinate keeps is asked: where it works, what it makes there and what it leaves."""

import contextlib
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from judge_queues import empty_postgresql, empty_sqlite, new_bench  # noqa: F401  fixtures
from leaderboard_databases import postgresql  # noqa: F401  a fixture
from rl_hub.database.engine import Database
from rl_hub.errors import CommandError
from rl_leaderboard.jobs import open_queue

TABLES = ["procrastinate_jobs", "procrastinate_workers", "procrastinate_events"]


@pytest.fixture
def bench(new_bench):  # noqa: F811
    return new_bench("procrastinate-postgresql")


def count(bench, table):
    with bench.database.read() as connection:
        return connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()


def test_it_is_refused_on_sqlite_with_what_to_do(new_bench):  # noqa: F811
    with pytest.raises(CommandError, match="let the judge's queue be a table, or move the classroom to PostgreSQL"):
        open_queue(new_bench("table-sqlite").database, "procrastinate")


def test_its_tables_are_made_once_and_what_waits_in_them_stays(bench):
    (number,) = bench.submissions(1)
    bench.enqueue(number)

    again = open_queue(bench.database, "procrastinate")

    assert again.claim("worker", 30).submission_id == number


def test_many_processes_may_open_it_at_the_same_time(new_bench):  # noqa: F811
    url = new_bench("table-postgresql").database.url.render_as_string(hide_password=False)
    code = (
        "import sys; from rl_hub.database.engine import Database; from rl_leaderboard.jobs import open_queue; "
        "open_queue(Database(sys.argv[1]), 'procrastinate')"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, url], stderr=subprocess.PIPE) for _ in range(3)]

    errors = [process.communicate()[1] for process in processes]

    assert [process.returncode for process in processes] == [0, 0, 0], errors


def test_tables_of_another_version_are_left_alone_with_a_sentence(bench):
    with bench.database.write() as connection:
        connection.execute(text("DROP FUNCTION procrastinate_fetch_job_v2"))

    with pytest.raises(CommandError, match="Run its migrations"):
        open_queue(bench.database, "procrastinate")


def test_who_has_not_chosen_it_does_not_load_it():
    code = "import sys, rl_leaderboard.jobs; print(sorted(m for m in sys.modules if 'procrastinate' in m))"

    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert finished.stdout.strip() == "[]"


def test_jobs_that_have_ended_leave_nothing_behind(bench):
    bench.enqueue(*bench.submissions(3))
    bench.finish(bench.claim(), retry_after=0)
    bench.claim(lease_seconds=30)
    bench.let_pass(31)

    while bench.do():
        pass

    assert [count(bench, table) for table in TABLES] == [0, 0, 0]


def test_a_worker_that_finds_nothing_leaves_nothing_behind(bench):
    bench.enqueue(*bench.submissions(1), delay_seconds=100)
    assert bench.claim() is None

    assert count(bench, "procrastinate_workers") == 0


def test_its_own_tools_see_the_jobs(bench):
    (number,) = bench.submissions(1)
    bench.enqueue(number, turn=2)

    with bench.database.read() as connection:
        job = connection.execute(text("SELECT * FROM procrastinate_jobs")).mappings().one()

    assert (job["queue_name"], job["task_name"], job["priority"]) == ("evaluations", "evaluate", -2)
    assert job["args"] == {"submission_id": number}
    assert job["scheduled_at"] - datetime.now(UTC) < timedelta(minutes=1)


def test_jobs_of_somebody_else_in_the_same_database_are_left_alone(bench):
    with bench.database.write() as connection:
        connection.execute(text("INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('mails', 'send')"))
        connection.execute(
            text("INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('mails', 'send', 'doing')")
        )

    assert bench.claim() is None
    assert count(bench, "procrastinate_jobs") == 2


def test_other_mistakes_than_asking_twice_are_told(bench):
    with contextlib.closing(Database(bench.database.url.render_as_string(hide_password=False))) as database:
        queue = open_queue(database, "procrastinate")
        with database.write() as connection:
            connection.execute(text("ALTER TABLE procrastinate_jobs ADD CHECK (priority <= 0)"))

        with pytest.raises(Exception, match="priority"), database.write() as connection:
            queue.enqueue(connection, 1, turn=-1)
