"""Classes on SQLite and on a real PostgreSQL: however teachers go, a class that goes on keeps one."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from types import SimpleNamespace

import pytest

from leaderboard_classes import make_class, roles_in
from leaderboard_databases import ENGINES, new_classroom, postgresql, postgresql_template  # noqa: F401  fixtures
from leaderboard_people import add_person
from rl_leaderboard.classes import members, records
from rl_leaderboard.errors import Conflict
from rl_leaderboard.people import people


@pytest.fixture(params=ENGINES)
def classroom(request, new_classroom):  # noqa: F811
    """Takes the place of the one on SQLite alone."""
    return new_classroom(request.param)


@pytest.fixture
def teachers(classroom):
    return [add_person(classroom, name, "teacher") for name in ("grace", "hedy")]


@pytest.fixture
def record(classroom, teachers):
    """A class with two teachers."""
    made = make_class(classroom, SimpleNamespace(person=teachers[0]))
    with classroom.write() as connection:
        members.join(connection, made.id, teachers[1].id, "teacher")
    return made


def leave(connection, record, person):
    members.remove(connection, record.id, person.id)


def become_a_student(connection, record, person):
    members.change_role(connection, record.id, person.id, "student")


def delete_the_account(connection, record, person):
    people.remove(connection, person)


@pytest.mark.parametrize("first", [leave, become_a_student, delete_the_account])
@pytest.mark.parametrize("second", [leave, become_a_student, delete_the_account])
def test_of_two_teachers_who_go_at_once_one_stays(classroom, teachers, record, first, second):
    gone = Barrier(2, timeout=1)

    def go(action, person):
        try:
            with classroom.write() as connection:
                action(connection, record, person)
                # Neither transaction has ended when the other one decides, unless one waits for the other.
                with suppress(BrokenBarrierError):
                    gone.wait()
        except Conflict as error:
            return error.message
        return ""

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(go, (first, second), teachers))

    assert sorted(map(bool, outcomes)) == [False, True]
    assert list(roles_in(classroom, record).values()).count("teacher") == 1


def test_the_only_teacher_of_a_class_that_goes_on_keeps_the_account(classroom, teachers):
    grace = teachers[0]
    record = make_class(classroom, SimpleNamespace(person=grace), name="Winter")

    with classroom.write() as connection, pytest.raises(Conflict, match="only teacher of the class Winter"):
        people.remove(connection, grace)
    with classroom.write() as connection:
        records.archive(connection, record.id)
        people.remove(connection, grace)

    assert roles_in(classroom, record) == {}
