"""A few of the kills of which `make bench` does 100."""

import pytest

from benchmarks.leaderboard_crashes import ENGINES, campaign
from leaderboard_databases import postgresql  # noqa: F401  a fixture


@pytest.mark.parametrize("engine", ENGINES)
def test_a_classroom_that_is_killed_while_people_write_loses_nothing(engine, request):
    if engine == "postgresql":
        request.getfixturevalue("postgresql")

    finished = campaign(kills=3, seed=1, engine=engine)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "3 kills" in finished.stdout
