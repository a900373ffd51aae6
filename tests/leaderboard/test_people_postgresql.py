"""People on SQLite and on a real PostgreSQL: what happens twice at once, and what is exported and deleted."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from sqlalchemy import func, select

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_databases import ENGINES, new_classroom, postgresql, postgresql_template  # noqa: F401  fixtures
from leaderboard_people import add_person
from rl_leaderboard.boards import board
from rl_leaderboard.boards.board import Query
from rl_leaderboard.database import tables
from rl_leaderboard.errors import BadRequest, Conflict
from rl_leaderboard.people import directory, export, people, sign_ins
from rl_leaderboard.people.people import HUB, Arrival
from rl_leaderboard.submissions import reception


@pytest.fixture(params=ENGINES)
def classroom(request, new_classroom):  # noqa: F811
    """Takes the place of the one on SQLite alone."""
    return new_classroom(request.param)


def at_once(classroom, *actions):
    """Does each action in a transaction of its own, all at the same time; returns what came of them."""
    start = Barrier(len(actions))

    def act(action):
        start.wait()
        try:
            with classroom.write() as connection:
                return action(connection)
        except (BadRequest, Conflict) as error:
            return error

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def test_somebody_who_arrives_many_times_at_once_is_one_person(classroom):
    arrival = Arrival(HUB, "1", "ada", HUB)

    found = at_once(classroom, *[lambda connection: people.welcome(connection, arrival)] * 6)

    assert len({person.id for person in found}) == 1


def while_taking_in(classroom, pushed, action):
    """Does something in a transaction that begins while a push is being taken in, and ends after it."""
    begun = Event()

    def act():
        begun.set()
        with classroom.write() as connection:
            action(connection)

    with ThreadPoolExecutor(1) as pool:
        with classroom.write() as connection:
            reception.receive(connection, classroom.course, [pushed])
            acting = pool.submit(act)
            begun.wait()
            time.sleep(0.3)
        acting.result()


def test_a_search_by_the_name_finds_nothing_that_came_while_its_owner_took_a_pseudonym(classroom):
    ada = add_person(classroom, "ada")

    while_taking_in(
        classroom,
        push("ada"),
        lambda connection: people.change_privacy(connection, ada, pseudonym="Owl", is_public=False),
    )

    with classroom.read() as connection:
        assert [row.student for row in board.read_page(connection, Query(ASSIGNMENT, search="owl")).rows] == ["Owl"]
        assert board.read_page(connection, Query(ASSIGNMENT, search="ada")).rows == []


def test_nothing_is_left_that_came_while_its_owner_deleted_the_account(classroom):
    ada = add_person(classroom, "ada")
    submit(classroom, push("ada"))

    while_taking_in(classroom, push("ada", sha="b" * 40), lambda connection: people.remove(connection, ada))

    with classroom.read() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.submissions)) == 0
        assert connection.scalar(select(func.count()).select_from(tables.standings)) == 0


def test_two_people_who_take_the_same_pseudonym_at_once_do_not_both_get_it(classroom):
    wanting = [add_person(classroom, name) for name in ("one", "two", "three")]

    def take(person):
        return lambda connection: people.change_privacy(connection, person, pseudonym="Owl", is_public=False)

    outcomes = at_once(classroom, *map(take, wanting))

    assert sorted(isinstance(outcome, BadRequest) for outcome in outcomes) == [False, True, True]


def test_two_administrators_who_dismiss_each_other_at_once_leave_one(classroom):
    one, two = add_person(classroom, "one", "admin"), add_person(classroom, "two", "admin")

    outcomes = at_once(
        classroom,
        lambda connection: people.change_role(connection, one.id, "student"),
        lambda connection: people.change_role(connection, two.id, "student"),
    )

    assert sorted(isinstance(outcome, Conflict) for outcome in outcomes) == [False, True]
    with classroom.read() as connection:
        assert sorted(people.get(connection, person.id).role for person in (one, two)) == ["admin", "student"]


def test_a_sign_in_that_is_finished_many_times_at_once_is_finished_once(classroom):
    with classroom.write() as connection:
        cookie = sign_ins.begin(connection, "state", {"nonce": "n"})

    found = at_once(classroom, *[lambda connection: sign_ins.finish(connection, cookie, "state")] * 6)

    assert [value for value in found if value is not None] == [{"nonce": "n"}]


def test_people_are_listed_in_one_order_page_by_page(classroom):
    for name in ("Zoo", "a-1", "a.1", "a1", "a_1", "ab", "B", "b-2", "B2", "c"):
        add_person(classroom, name)
    with classroom.read() as connection:
        everybody = [person.name for person in directory.search(connection, limit=50)]
        paged, place = [], None
        while found := directory.search(connection, limit=3, after=place):
            paged += [person.name for person in found]
            place = (found[-1].key, found[-1].id)

    assert paged == everybody
    assert len(set(paged)) == 10


def test_a_person_is_exported_and_deleted_with_everything(classroom):
    ada = add_person(classroom, "ada")
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number)
    with classroom.write() as connection:
        people.change_privacy(connection, ada, pseudonym="owl", is_public=True)
        ada = people.get(connection, ada.id)
    with classroom.read() as connection:
        found = json.loads(json.dumps(export.collect(connection, ada)))
    assert (found["person"]["pseudonym"], len(found["evaluations"]), len(found["submissions"])) == ("owl", 1, 1)

    with classroom.write() as connection:
        people.remove(connection, ada)

    kept = {"assignments", "departures", "generations"}
    with classroom.read() as connection:
        rows = {
            table.name: connection.scalar(select(func.count()).select_from(table))
            for table in tables.metadata.sorted_tables
        }
    assert {name for name, count in rows.items() if count} == kept
