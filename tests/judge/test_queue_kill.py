"""A few of the kills of which `make bench` does 100."""

import pytest

from benchmarks.judge_queue import KINDS, campaign
from leaderboard_databases import postgresql  # noqa: F401  a fixture


@pytest.mark.parametrize("kind", KINDS)
def test_workers_that_are_killed_lose_no_job_and_publish_none_twice(kind, request):
    if kind.endswith("postgresql"):
        request.getfixturevalue("postgresql")

    finished = campaign(jobs=60, kills=8, kind=kind, processes=3, seed=1)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "60 jobs, 8 kills" in finished.stdout
    assert "0 lost, 0 published twice" in finished.stdout
