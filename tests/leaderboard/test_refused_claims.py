"""What an agent claims counts for nothing once the judge could not measure it."""

import pytest

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from rl_leaderboard.boards import board
from rl_leaderboard.submissions import submissions


def refuse(classroom, number):
    with classroom.write() as connection:
        submissions.fail(connection, submissions.get(connection, number), "It holds no agent.")


def rows(classroom):
    with classroom.read() as connection:
        return board.read_page(connection, board.Query(ASSIGNMENT)).rows


@pytest.fixture
def handed_in(classroom):
    """The claims of somebody who exaggerates and of somebody who does not."""
    return submit(classroom, push("mallory", mean=777_777.0, std=0.0), push("ada", mean=250.0, std=10.0))


def test_a_refused_agent_stands_behind_every_claim_that_still_waits(classroom, handed_in):
    liar, _ = handed_in
    refuse(classroom, liar)

    assert [(row.student, row.score) for row in rows(classroom)] == [("ada", 240.0), ("mallory", None)]


def test_nothing_of_the_claim_is_left_on_the_board(classroom, handed_in):
    liar, _ = handed_in
    refuse(classroom, liar)
    row = rows(classroom)[-1]

    assert (row.mean, row.std, row.n_episodes, row.verified) == (None, None, None, False)


def test_an_agent_that_is_tried_again_claims_again(classroom, handed_in):
    liar, _ = handed_in
    refuse(classroom, liar)
    with classroom.write() as connection:
        submissions.queue(connection, submissions.get(connection, liar))

    assert rows(classroom)[0].student == "mallory"


def test_a_score_that_was_measured_before_stays(classroom, handed_in):
    liar, _ = handed_in
    measure(classroom, liar, [300.0, 300.0])
    refuse(classroom, liar)

    assert rows(classroom)[0].score == 300.0


def test_the_page_says_that_nothing_was_measured(classroom, client, handed_in):
    liar, _ = handed_in
    refuse(classroom, liar)
    page = client.get(f"/agents/{liar}").text

    assert "Claimed, not measured" in page
    assert "Not verified yet" not in page
    assert "passes nothing" in page
