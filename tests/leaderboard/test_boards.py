"""Boards: order, pages, search, what counts."""

import pytest

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_people import add_person
from rl_leaderboard.boards import assignments, board
from rl_leaderboard.boards.board import Query
from rl_leaderboard.errors import BadRequest
from rl_leaderboard.people import people


def page(classroom, **query):
    with classroom.read() as connection:
        return board.read_page(connection, Query(ASSIGNMENT, **query))


def students(classroom, **query):
    return [row.student for row in page(classroom, **query).rows]


def test_the_highest_mean_minus_std_comes_first(classroom):
    submit(classroom, push("ada", mean=300, std=100), push("grace", mean=290, std=10), push("alan", mean=100, std=0))

    rows = page(classroom).rows

    assert [(row.rank, row.student, row.score) for row in rows] == [
        (1, "grace", 280.0),
        (2, "ada", 200.0),
        (3, "alan", 100.0),
    ]


def test_a_verified_score_stands_above_every_claim(classroom):
    submit(classroom, push("boaster", mean=1e6, std=0))
    (honest,) = submit(classroom, push("honest", mean=5, std=0))
    measure(classroom, honest, [10.0, 12.0])

    assert [(row.student, row.verified) for row in page(classroom).rows] == [("honest", True), ("boaster", False)]


def test_equal_scores_stand_in_the_order_of_their_commits(classroom):
    submit(classroom, push("late", minutes_ago=1), push("early", minutes_ago=9))

    assert students(classroom) == ["early", "late"]


def test_pages_follow_each_other_without_gap_or_repetition_and_lead_back(classroom):
    submit(classroom, *(push(f"s{number:02}", mean=number % 4, std=0) for number in range(23)))
    everybody = students(classroom, limit=50)

    seen, cursor, before = [], None, []
    while True:
        found = page(classroom, limit=5, after=cursor)
        seen += [row.student for row in found.rows]
        before.append(found.previous)
        cursor = found.next
        if cursor is None:
            break

    assert seen == everybody
    assert before[0] is None
    assert students(classroom, limit=5, before=before[2]) == everybody[5:10]
    assert [row.rank for row in page(classroom, limit=5, rank=11).rows] == [11, 12, 13, 14, 15]


def test_a_searched_row_keeps_its_rank_on_the_whole_board(classroom):
    submit(classroom, *(push(f"student-{number}", mean=number, std=0) for number in range(20)))

    rows = page(classroom, search="DENT-1").rows

    assert [(row.rank, row.student) for row in rows][:2] == [(1, "student-19"), (2, "student-18")]
    assert (rows[-1].rank, rows[-1].student) == (19, "student-1")


@pytest.mark.parametrize("search", ["%", "_", "'; DROP TABLE standings; --", "\\"])
def test_signs_that_databases_read_otherwise_are_looked_for_as_they_are(classroom, search):
    submit(classroom, push("ada"))

    assert students(classroom, search=search) == []


@pytest.mark.parametrize("cursor", ["", "x", "bnVsbA", "W10", "WzAsTmFOLDAsMCwwXQ", "ÿ" * 9, "WzAsMWU5OTksMCwwLDBd"])
def test_a_cursor_of_somebody_elses_making_is_refused(classroom, cursor):
    with pytest.raises(BadRequest):
        page(classroom, after=cursor)


@pytest.mark.parametrize(("counting", "score"), [("best", 200.0), ("latest", 50.0), ("declared", 100.0)])
def test_the_assignment_says_which_submission_counts(classroom, counting, score):
    ids = submit(
        classroom,
        push(mean=200, std=0, sha="1" * 40, minutes_ago=9),
        push(mean=100, std=0, sha="2" * 40, minutes_ago=8),
        push(mean=50, std=0, sha="3" * 40, minutes_ago=7),
    )
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting=counting, quota_per_day=None)
        from rl_leaderboard.submissions import submissions

        submissions.declare(connection, submissions.get(connection, ids[1]))

    assert [row.score for row in page(classroom).rows] == [score]


def test_a_frozen_board_stays_as_it_is_until_it_thaws(classroom):
    submit(classroom, push("ada"))
    with classroom.write() as connection:
        assignments.freeze(connection, ASSIGNMENT)
    submit(classroom, push("grace"))
    frozen = students(classroom)
    with classroom.write() as connection:
        assignments.thaw(connection, ASSIGNMENT)

    assert frozen == ["ada"]
    assert students(classroom) == ["ada", "grace"]


def test_nobody_finds_a_pseudonym_by_the_name_behind_it(classroom):
    submit(classroom, push("ada"))
    person = add_person(classroom, "ada")
    with classroom.write() as connection:
        people.change_privacy(connection, person, pseudonym="Countess", is_public=False)

    assert students(classroom, search="ada") == []
    assert [(row.student, row.agent) for row in page(classroom, search="countess").rows] == [("Countess", "Agent 1")]
