"""Commits that come by several ways at once, on SQLite and on a real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Barrier

import pytest

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_databases import ENGINES, new_classroom, postgresql, postgresql_template  # noqa: F401  fixtures
from leaderboard_sources import kept, rows
from rl_leaderboard.boards import assignments
from rl_leaderboard.errors import TooManyRequests
from rl_leaderboard.rules.sources import source_name
from rl_leaderboard.sources import intake, states
from rl_leaderboard.submissions import reception, submissions, whereabouts

AWAY = "huggingface.co"


@pytest.fixture(params=ENGINES)
def classroom(request, new_classroom):  # noqa: F811
    """Takes the place of the one on SQLite alone."""
    return new_classroom(request.param)


def at_once(number, action):
    """Does something several times at the same time."""
    start = Barrier(number)

    def act(index):
        start.wait()
        return action(index)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(act, range(number)))


def test_a_commit_that_is_told_by_many_at_once_is_one_submission(classroom):
    pushes = [push(f"student-{number}") for number in range(50)]

    taken = at_once(4, lambda index: submit(classroom, *(pushes if index % 2 else reversed(pushes))))

    assert sum(map(len, taken)) == 50
    assert len(kept(classroom)) == len(rows(classroom)) == 50


def test_a_quota_holds_however_many_commits_arrive_at_once(classroom):
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting="best", quota_per_day=2)

    at_once(6, lambda index: submit(classroom, push(sha=f"{index:040x}", mean=100 + index)))

    assert [row.over_quota for row in kept(classroom)].count(False) == 2


def test_a_quota_holds_when_several_are_taken_in_again_at_once(classroom):
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting="best", quota_per_day=1)
    numbers = submit(classroom, *(push(sha=f"{index:040x}") for index in range(5)))
    with classroom.write() as connection:
        submissions.fail(connection, submissions.get(connection, numbers[0]), "No weights.")

    def take_again(index):
        with suppress(TooManyRequests), classroom.write() as connection:
            reception.take_again(connection, submissions.get(connection, numbers[index]))

    at_once(5, take_again)

    assert [row.state for row in kept(classroom)].count("received") == 1


def test_a_repository_that_comes_goes_and_moves(classroom):
    (number,) = submit(classroom, push())
    measure(classroom, number, (100.0, 100.0))
    submit(classroom, push(name="champion"))
    with classroom.write() as connection:
        whereabouts.move(connection, "hub", "ada/invader", "ada/champion")
    assert rows(classroom) == [("ada", "ada/champion", 100.0)]
    with classroom.write() as connection:
        whereabouts.forget(connection, "hub", "ADA/champion")
        assert whereabouts.repositories(connection, "hub") == set()
        assert whereabouts.gone_among(connection, "hub", ["Ada/Champion", "x/y"]) == {"ada/champion"}
    assert rows(classroom) == []
    with classroom.write() as connection:
        whereabouts.find_again(connection, "hub", "ada/champion", among=["a" * 40])
    assert rows(classroom) == [("ada", "ada/champion", 100.0)]


def test_what_is_known_of_a_hub_is_kept(classroom):
    classroom = replace(classroom, settings=replace(classroom.settings, sources=(f"https://{AWAY}", "http://new")))
    with classroom.write() as connection:
        states.failed(connection, AWAY, "It is down.", 0.0)
        states.succeeded(connection, AWAY, swept=True)
        states.failed(connection, AWAY, "It is down again.", 0.0, 90.0)
        state = states.read(connection, AWAY)
        found = states.freshness(connection, classroom.settings)

    assert (state.failures, state.last_success_at, state.problem) == (1, state.last_sweep_at, "It is down again.")
    assert [(each.source, each.problem) for each in found] == [
        (AWAY, "It is down again."),
        (source_name("http://new"), ""),
    ]
    assert [each.last_success_at for each in found] == [state.last_success_at, None]


def test_what_was_gone_and_is_told_again_is_back(classroom):
    intake.take_in(classroom, AWAY, [push(source=AWAY)])
    with classroom.write() as connection:
        whereabouts.forget(connection, AWAY, "ada/invader")

    assert intake.take_in(classroom, AWAY, [push(source=AWAY)]) == []
    assert rows(classroom) == [("ada", "ada/invader", 250.0)]


def test_what_a_deleted_repository_held_does_not_come_back_with_another_of_its_name(classroom):
    (number,) = intake.take_in(classroom, AWAY, [push(source=AWAY)])
    measure(classroom, number, (900.0, 900.0))
    with classroom.write() as connection:
        whereabouts.forget(connection, AWAY, "ada/invader")

    intake.take_in(classroom, AWAY, [push(source=AWAY, sha="e" * 40, mean=1, std=0)])

    assert rows(classroom) == [("ada", "ada/invader", 1.0)]


def test_a_push_that_the_database_refuses_keeps_nobody_else_out(classroom):
    """No card is known that makes one: the next one that is shall stop nobody."""
    unfit = push("eve")
    object.__setattr__(unfit.claims[0], "mean", 1e13)

    assert len(submit(classroom, push("ada"), unfit, push("grace"))) == 2
    assert sorted(student for student, *_ in rows(classroom)) == ["ada", "grace"]


def test_a_name_that_is_too_long_in_lower_case_keeps_nobody_else_out(classroom):
    assert len(submit(classroom, push("\u0130" * 90), push("ada"))) == 1


def test_a_repository_that_goes_and_a_teacher_who_decides_wait_for_each_other_in_no_circle(classroom):
    """Both lock the board before any submission; the other way round each would hold what the other needs."""
    numbers = submit(classroom, *(push(f"student-{number}") for number in range(20)))

    def act(index):
        for number, submission_id in enumerate(numbers):
            with classroom.write() as connection:
                if index == 0:
                    whereabouts.forget(connection, "hub", f"student-{number}/invader")
                elif index == 1:
                    submissions.retract(connection, submissions.get(connection, submission_id), "Copied.")
                else:
                    whereabouts.move(connection, "hub", f"student-{number}/invader", f"student-{number}/again")

    at_once(3, act)

    assert rows(classroom) == []
