"""Where the operator lets claims pass, every page says so."""

import pytest

from leaderboard_agents import ASSIGNMENT, push, submit
from leaderboard_classes import make_class
from rl_leaderboard.settings import Settings
from rl_leaderboard.submissions import submissions


@pytest.fixture
def settings(tmp_path):
    return Settings(tmp_path / "classroom-data", certify_claims=True)


def test_roster_agent_and_progress_agree(classroom, sign_in):
    ada, grace = sign_in("ada"), sign_in("grace", role="teacher")
    record = make_class(classroom, grace, ada)
    (number,) = submit(classroom, push("ada", mean=900, std=50))

    roster = grace.get(f"/classes/{record.id}").text
    agent = ada.get(f"/agents/{number}").text

    assert '<span class="state">Passed, claimed</span>' in roster
    assert "waits for verification" not in roster
    assert "Passes as claimed" in agent
    assert "if it were verified" not in agent
    assert "Passed, claimed" in ada.get("/me").text
    assert f"{ASSIGNMENT},{ASSIGNMENT} state" in grace.get(f"/classes/{record.id}/roster.csv").text


def test_a_claim_that_the_judge_could_not_measure_passes_nowhere(classroom, sign_in):
    ada, grace = sign_in("ada"), sign_in("grace", role="teacher")
    record = make_class(classroom, grace, ada)
    (number,) = submit(classroom, push("ada", mean=900, std=50))
    with classroom.write() as connection:
        submissions.fail(connection, submissions.get(connection, number), "Its file cannot be read.")

    assert '<span class="state">No score</span>' in grace.get(f"/classes/{record.id}").text
    assert "Passes as claimed" not in ada.get(f"/agents/{number}").text
