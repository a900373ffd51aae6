"""The same weights in several submissions: all of them have the score of all their games."""

import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from leaderboard_agents import ASSIGNMENT, confirm, measure, push, submit
from leaderboard_databases import ENGINES, new_classroom, postgresql, postgresql_template  # noqa: F401  fixtures
from leaderboard_people import add_person
from rl_leaderboard.boards import assignments, board
from rl_leaderboard.database.tables import evaluations
from rl_leaderboard.progress.progress import read_progress
from rl_leaderboard.rules.batches import published_name
from rl_leaderboard.submissions import submissions

LUCKY, POOLED = [400.0] * 2, [400.0, 400.0, 300.0, 300.0]
ONCE, TWICE = "1/ranking-1", "1/ranking-2"


@pytest.fixture(params=ENGINES)
def classroom(request, new_classroom):  # noqa: F811
    """Takes the place of the one on SQLite alone."""
    return new_classroom(request.param)


def hand_in_twice(classroom, *, student="ada"):
    """Two submissions of a student, the first of them measured."""
    first, second = submit(classroom, push(student, sha="a" * 40), push(student, sha="b" * 40, minutes_ago=1))
    measure(classroom, first, LUCKY, batch=ONCE)
    return first, second


def score(classroom, number):
    with classroom.read() as connection:
        return submissions.get(connection, number).verified_score


def read_board(classroom):
    with classroom.read() as connection:
        return board.read_page(connection, board.Query(ASSIGNMENT)).rows


def games_of(classroom, number):
    """How many games each evaluation of a submission rests on, oldest first."""
    query = select(evaluations.c.n_episodes).where(evaluations.c.submission_id == number).order_by(evaluations.c.id)
    with classroom.read() as connection:
        return connection.scalars(query).all()


def test_a_further_batch_is_the_score_of_every_submission_of_these_weights(classroom):
    first, second = hand_in_twice(classroom)

    measure(classroom, second, POOLED, batch=TWICE)

    assert score(classroom, first) == score(classroom, second) == 300.0
    assert games_of(classroom, first) == [2, 4]


def test_the_board_that_counts_the_best_ranks_by_the_pooled_score(classroom):
    _, second = hand_in_twice(classroom)

    measure(classroom, second, POOLED, batch=TWICE)

    (row,) = read_board(classroom)
    assert (row.score, row.n_episodes) == (300.0, 4)


def test_a_certificate_counts_the_pooled_score(classroom):
    ada = add_person(classroom, "ada")
    _, second = hand_in_twice(classroom)
    measure(classroom, second, POOLED, batch=TWICE)

    with classroom.read() as connection:
        progress = read_progress(connection, classroom.course, ada, certify_claims=False)

    found = next(one for one in progress.assignments if one.assignment.id == ASSIGNMENT)
    assert found.scores.verified == 300.0


def test_a_copy_does_not_keep_the_result_of_the_moment_when_it_was_made(classroom):
    _, second = hand_in_twice(classroom)
    (copy,) = submit(classroom, push("bob"))
    measure(classroom, copy, LUCKY, batch=ONCE)

    measure(classroom, second, POOLED, batch=TWICE)

    assert score(classroom, copy) == 300.0
    assert [row.score for row in read_board(classroom)] == [300.0, 300.0]


@pytest.mark.parametrize(
    "other",
    [
        {"agent_sha256": "e" * 64},
        {"batch": "2027-spring/ranking-2"},
        {"version": 7},
    ],
    ids=["weights", "season", "protocol"],
)
def test_what_is_of_another_kind_keeps_its_score(classroom, other):
    first, second = hand_in_twice(classroom)

    measure(classroom, second, POOLED, **{"batch": TWICE, **other})

    assert score(classroom, first) == 400.0
    assert games_of(classroom, first) == [2]


def test_a_result_of_fewer_games_that_comes_late_changes_no_other(classroom):
    first, second = hand_in_twice(classroom)
    measure(classroom, second, POOLED, batch=TWICE)
    (third,) = submit(classroom, push("ada", sha="c" * 40))

    measure(classroom, third, LUCKY, batch=ONCE)

    assert [score(classroom, number) for number in (first, second, third)] == [300.0, 300.0, 400.0]


def test_one_that_waits_to_be_judged_again_goes_on_waiting(classroom):
    first, second = hand_in_twice(classroom)
    with classroom.write() as connection:
        submissions.queue(connection, submissions.get(connection, first))

    measure(classroom, second, POOLED, batch=TWICE)

    with classroom.read() as connection:
        found = submissions.get(connection, first)
    assert (found.state, found.verified_score) == ("queued", 300.0)


def test_a_frozen_board_shows_what_it_showed_until_it_moves_again(classroom):
    _, second = hand_in_twice(classroom)
    with classroom.write() as connection:
        assignments.freeze(connection, ASSIGNMENT)
    before = read_board(classroom)

    measure(classroom, second, POOLED, batch=TWICE)

    assert read_board(classroom) == before
    with classroom.write() as connection:
        assignments.thaw(connection, ASSIGNMENT)
    (row,) = read_board(classroom)
    assert (row.score, row.mean, row.n_episodes) == (300.0, 350.0, 4)


def test_each_keeps_the_name_of_the_file_that_was_judged_in_its_own_repository(classroom):
    first, second = submit(classroom, push("ada", sha="a" * 40), push("ada", sha="b" * 40))
    measure(classroom, first, LUCKY, batch=ONCE, judged_file="agent.onnx")

    measure(classroom, second, POOLED, batch=TWICE, judged_file="ppo.zip")

    with classroom.read() as connection:
        found = connection.scalars(select(evaluations.c.judged_file).order_by(evaluations.c.id)).all()
    assert found == ["agent.onnx", "ppo.zip", "agent.onnx"]


def test_a_copier_reads_nothing_of_the_owners_log(classroom):
    _, second = hand_in_twice(classroom)
    (copy,) = submit(classroom, push("bob"))
    measure(classroom, copy, LUCKY, batch=ONCE)

    measure(classroom, second, POOLED, batch=TWICE, log="Judges secret-name.onnx.")

    with classroom.read() as connection:
        newest = connection.scalar(
            select(evaluations.c.log)
            .where(evaluations.c.submission_id == copy)
            .order_by(evaluations.c.id.desc())
            .limit(1)
        )
    assert newest == f"Submission {second} has the same weights: all their games together are the score."


def test_the_student_reads_where_the_further_games_come_from(classroom, sign_in):
    first, second = hand_in_twice(classroom)
    measure(classroom, second, POOLED, batch=TWICE)

    answer = sign_in("ada").get(f"/api/v1/submissions/{first}").json()

    log = answer["evaluations"][0]["log"]
    assert log.startswith(f"Submission {second} has the same weights: all their games together are the score.")


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(returns=st.lists(st.integers(0, 500).map(float), min_size=3, max_size=3))
def test_however_batches_turn_out_all_submissions_of_the_same_weights_have_one_score(classroom, returns):
    weights = uuid.uuid4().hex
    numbers = submit(classroom, *(push("ada", sha=f"{weights}{place:08x}") for place in range(3)))

    for place, number in enumerate(numbers, start=1):
        batch = published_name("1", f"ranking-{place}")
        measure(classroom, number, returns[:place], batch=batch, agent_sha256=weights * 2)

    assert len({score(classroom, number) for number in numbers}) == 1


def test_the_confirmation_of_another_season_counts_for_no_certificate(classroom):
    ada = add_person(classroom, "ada")
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number, LUCKY, batch="2/ranking-1")
    for season, confirmed in (("1", 390.0), ("2", 350.0)):
        confirm(classroom, number, confirmed, season=season)

    with classroom.read() as connection:
        progress = read_progress(connection, classroom.course, ada, certify_claims=False)

    assert progress.assignments[0].scores.verified == 350.0
