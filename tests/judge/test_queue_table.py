"""What only the queue in the classroom's own table is asked: that a long queue is as quick as a short one."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.dialects import postgresql as postgresql_dialect
from sqlalchemy.dialects import sqlite

from judge_queues import empty_postgresql, empty_sqlite, new_bench  # noqa: F401  fixtures
from judge_submissions import fill_queue
from leaderboard_databases import ENGINES, postgresql  # noqa: F401  a fixture
from rl_leaderboard.database.tables import evaluation_jobs
from rl_leaderboard.jobs import LeaseQueue, lease_table

JOBS = 10_000


@pytest.fixture(params=ENGINES)
def bench(request, new_bench):  # noqa: F811
    return new_bench(f"table-{request.param}")


def test_a_claim_finds_its_job_among_many_in_the_index(bench):
    fill_queue(bench.database, bench.submissions(JOBS, students=100), free_at=datetime.now(UTC) - timedelta(hours=1))
    moment = datetime.now(UTC)

    if bench.database.is_sqlite:
        assert "USING INDEX ix_evaluation_jobs_order" in plan(bench, moment)
        assert "TEMP B-TREE" not in plan(bench, moment)
        return
    for _ in ("before the server knows how many there are", "and after"):
        assert "Index Scan using ix_evaluation_jobs_order" in plan(bench, moment)
        assert "Sort" not in plan(bench, moment)
        with bench.database.write() as connection:
            connection.execute(text("ANALYZE evaluation_jobs"))


def plan(bench, moment) -> str:
    """How the database finds the next job."""
    dialect = sqlite.dialect() if bench.database.is_sqlite else postgresql_dialect.dialect()
    query = lease_table.NEXT.params(now=moment).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    with bench.database.write() as connection:
        explain = "EXPLAIN QUERY PLAN" if bench.database.is_sqlite else "EXPLAIN"
        return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {query}"))


def test_a_job_that_has_ended_leaves_nothing_behind(bench):
    bench.enqueue(*bench.submissions(3))

    while bench.do():
        pass

    with bench.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(evaluation_jobs)) == 0


def test_how_often_a_job_is_tried_can_be_chosen(bench):
    queue = LeaseQueue(bench.database, most_attempts=1)
    bench.enqueue(*bench.submissions(1))

    claim = queue.claim("worker", 30)

    assert claim.is_last
    assert not claim.is_over


def test_a_worker_may_have_a_long_name(bench):
    bench.enqueue(*bench.submissions(1))

    assert bench.claim(worker="w" * 1000).worker == "w" * 1000
