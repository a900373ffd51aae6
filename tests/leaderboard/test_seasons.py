"""A new season: what is judged again by itself, what somebody may ask for, and what has nothing left to play."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from leaderboard_agents import ASSIGNMENT, confirm, measure, push, submit
from leaderboard_databases import ENGINES, new_classroom, postgresql, postgresql_template  # noqa: F401  fixtures
from rl_leaderboard.audit import log
from rl_leaderboard.boards import assignments
from rl_leaderboard.cli import main
from rl_leaderboard.database.tables import evaluation_jobs
from rl_leaderboard.jobs import LAST_TURN
from rl_leaderboard.submissions import judging, rejudging, submissions

OLD, NEW = "1", "2027-spring"
BOARD = f"/teach/boards/{ASSIGNMENT}"
PLAYED = "This agent has played all its games of season 1: judging it again would play none."


@pytest.fixture(params=ENGINES)
def classroom(request, new_classroom):  # noqa: F811
    """Takes the place of the one on SQLite alone."""
    return new_classroom(request.param)


@pytest.fixture
def grace(sign_in):
    return sign_in("grace", role="teacher")


def fill(classroom, count, *, season=OLD, first=0):
    """Agents whose scores fall from one to the next, none of which passes; returns their submissions."""
    numbers = submit(classroom, *(push(f"s{first + place}") for place in range(count)))
    for place, number in enumerate(numbers):
        measure(
            classroom,
            number,
            [100.0 - place] * 2,
            batch=f"{season}/ranking-1",
            agent_sha256=f"{first + place:064x}",
        )
    return numbers


def follow(classroom, season=NEW):
    with classroom.write() as connection:
        return rejudging.follow_season(connection, classroom.queue, classroom.course, season)


def queued(classroom):
    with classroom.read() as connection:
        return set(connection.scalars(select(evaluation_jobs.c.submission_id)))


def state(classroom, number):
    with classroom.read() as connection:
        return submissions.get(connection, number).state


def test_at_a_new_season_the_first_of_each_board_are_judged_again(classroom):
    numbers = fill(classroom, rejudging.FIRST_OF_BOARD + 2)

    assert follow(classroom) == rejudging.FIRST_OF_BOARD

    assert queued(classroom) == set(numbers[: rejudging.FIRST_OF_BOARD])
    assert follow(classroom) == 0, "they wait already"


def test_they_wait_until_everybody_else_is_served(classroom):
    fill(classroom, 1)
    follow(classroom)
    (new,) = submit(classroom, push("ada"))
    with classroom.write() as connection:
        judging.ask(connection, classroom.queue, submissions.get(connection, new))
        turns = dict(connection.execute(select(evaluation_jobs.c.submission_id, evaluation_jobs.c.turn)).all())

    assert turns.pop(new) < LAST_TURN
    assert set(turns.values()) == {LAST_TURN}


def test_in_the_same_season_nothing_is_judged_again(classroom):
    fill(classroom, 2)

    assert follow(classroom, OLD) == 0


def test_claims_and_what_has_failed_in_the_new_season_are_left_alone(classroom):
    (failed,) = fill(classroom, 1)
    submit(classroom, push("claims"))
    with classroom.write() as connection:
        submissions.fail(connection, submissions.get(connection, failed), "A reason.")

    assert follow(classroom) == 0


def test_a_frozen_board_stays_as_it_is(classroom):
    fill(classroom, 2)
    with classroom.write() as connection:
        assignments.freeze(connection, ASSIGNMENT)

    assert follow(classroom) == 0


# What somebody asks for


def test_an_agent_that_can_play_nothing_new_is_not_judged_again_and_its_page_says_why(classroom, grace):
    (number,) = fill(classroom, 1)

    refused = grace.send(f"/teach/submissions/{number}/rejudge", {}, page="/teach")

    assert (refused.status_code, PLAYED in refused.text) == (409, True)
    page = grace.get(f"/agents/{number}").text
    assert PLAYED in page
    assert f"/teach/submissions/{number}/rejudge" not in page


def test_one_that_passes_and_was_not_confirmed_has_games_left(classroom):
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number, [1000.0] * 2, batch=f"{OLD}/ranking-1")
    assignment = assignments.by_id(classroom.course, ASSIGNMENT)
    lenient = replace(assignment, threshold=500.0)

    assert not has_played_all(classroom, number, lenient)
    confirm(classroom, number, 900.0)
    assert has_played_all(classroom, number, lenient)


def has_played_all(classroom, number, assignment):
    with classroom.read() as connection:
        return rejudging.has_played_all(connection, number, assignment, OLD)


def test_a_board_queues_what_has_games_left_and_says_how_many_have_not(classroom, grace):
    (played,) = fill(classroom, 1)
    (other,) = fill(classroom, 1, season="0", first=1)

    page = grace.get(BOARD).text
    grace.send(f"{BOARD}/rejudge", {"sure": "yes"}, page=BOARD)

    assert "1 of them has played all its games of season 1" in page
    assert (state(classroom, played), state(classroom, other)) == ("scored", "queued")


def test_a_board_on_which_nothing_is_left_to_play_queues_nothing_and_says_so(classroom, grace):
    fill(classroom, 1)

    page = grace.send(f"{BOARD}/rejudge", {"sure": "yes"}, page=BOARD).text

    assert "Nothing is queued anew" in page
    with classroom.read() as connection:
        assert log.latest(connection, 9) == []


# On the command line


@pytest.fixture
def judge_again(classroom, monkeypatch, capsys):
    """Runs the command in the new season, beside the open classroom; returns its exit code and what it printed."""
    monkeypatch.setenv("RL_LEADERBOARD_DATA", str(classroom.settings.data))
    monkeypatch.setenv("RL_LEADERBOARD_DATABASE", classroom.database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("RL_LEADERBOARD_SEASON", NEW)

    def run(*arguments):
        code = main(["judge-again", *arguments])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def test_the_operator_queues_whole_boards_for_the_season(classroom, judge_again):
    numbers = fill(classroom, rejudging.FIRST_OF_BOARD + 1)

    first = judge_again("--all")
    again = judge_again("--board", ASSIGNMENT)

    assert first[0] == again[0] == 0
    assert f"{ASSIGNMENT}: 11 queued; 0 with no games left in season {NEW}." in first[1]
    assert f"{ASSIGNMENT}: 0 queued;" in again[1]
    assert queued(classroom) == set(numbers)
    with classroom.read() as connection:
        (entry,) = log.latest(connection, 9)
    assert (entry.actor_name, entry.action, entry.details) == ("the operator", "board.rejudge", {"queued": 11})


def test_a_board_that_is_not_there_is_refused_by_name(judge_again):
    code, printed = judge_again("--board", "chess")

    assert code == 2
    assert f"There is no board chess. The boards are {ASSIGNMENT}" in printed
