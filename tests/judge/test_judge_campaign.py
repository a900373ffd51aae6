"""A few of the kills of which `make bench` does 100, and what such a campaign calls a fault."""

from dataclasses import replace

import pytest

from benchmarks.judge_crashes import campaign
from judge_classroom import EPISODES, short_course
from judge_outcomes import GIVEN_UP, Outcome, Published, faults_of
from leaderboard_databases import postgresql  # noqa: F401  a fixture
from rl_leaderboard.judge import sandbox

_GAMES = tuple(range(EPISODES))
_PUBLISHED = Published(3, 8.0, EPISODES, _GAMES, "a" * 64, None)
SCORED = Outcome(7, "scored", "", 3, ("scored",), (_PUBLISHED,), ("ranking-1",))
GAVE_UP = Outcome(7, "failed", GIVEN_UP, None, ("failed",), (), ())
PASSED = replace(SCORED, published=(replace(_PUBLISHED, score=9.5),), batches=("confirmation", "ranking-1"))


@pytest.fixture
def assignment(tmp_path):
    (found,) = short_course(tmp_path / "course", threshold=9.0).assignments
    return found


@pytest.mark.parametrize(
    "kind",
    [
        "table-sqlite",
        pytest.param("table-postgresql", marks=pytest.mark.slow),
        pytest.param("procrastinate-postgresql", marks=pytest.mark.slow),
    ],
)
def test_each_agent_gets_one_verdict_whatever_is_killed_meanwhile(kind, request):
    try:
        sandbox.available(sandbox.Tier.LANDLOCK)
    except sandbox.NoSandbox as error:
        pytest.skip(f"no sandbox works here: {error}")
    if kind.endswith("postgresql"):
        request.getfixturevalue("postgresql")

    finished = campaign(jobs=12, kills=4, seed=3, kind=kind)

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert "12 agents, 4 kills, 12 verdicts" in finished.stdout


@pytest.mark.parametrize("outcome", [SCORED, PASSED, GAVE_UP])
def test_one_verdict_is_no_fault(outcome, assignment):
    assert faults_of(outcome, assignment) == []


@pytest.mark.parametrize(
    "outcome",
    [
        replace(SCORED, state="running"),
        replace(SCORED, told=()),
        replace(SCORED, told=("scored", "scored")),
        replace(SCORED, told=("failed", "scored")),
        replace(SCORED, published=()),
        replace(SCORED, published=SCORED.published * 2),
        replace(SCORED, counting=4),
        replace(SCORED, published=(replace(_PUBLISHED, numbers=_GAMES[1:]),)),
        replace(SCORED, published=(replace(_PUBLISHED, n_episodes=2 * EPISODES, numbers=_GAMES * 2),)),
        replace(SCORED, batches=()),
        replace(SCORED, batches=("ranking-1", "ranking-2")),
        replace(SCORED, batches=PASSED.batches),
        replace(PASSED, batches=SCORED.batches),
        replace(GAVE_UP, reason="The agent's process has ended."),
        replace(GAVE_UP, published=SCORED.published),
        replace(GAVE_UP, batches=SCORED.batches),
    ],
)
def test_anything_else_is_a_fault(outcome, assignment):
    assert len(faults_of(outcome, assignment)) == 1
