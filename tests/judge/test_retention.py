"""What becomes of the judge's films."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from leaderboard_agents import measure, push, submit
from rl_hub import clock
from rl_leaderboard.database.tables import evaluations
from rl_leaderboard.judge.retention import Sweeper


@pytest.fixture
def film(classroom):
    """Makes a film with a name of one letter; returns its SHA-256."""
    classroom.files.mkdir()

    def make(letter):
        classroom.video(letter * 64).write_bytes(b"a film")
        return letter * 64

    return make


def films(classroom):
    return {path.name[0] for path in classroom.files.iterdir()}


def swept(classroom, times):
    """What is left after so many sweeps of one worker."""
    sweeper = Sweeper(classroom)
    for _ in range(times):
        sweeper.sweep()
    return films(classroom)


def age(classroom, number, days):
    with classroom.write() as connection:
        long_ago = clock.now() - timedelta(days=days)
        connection.execute(update(evaluations).where(evaluations.c.id == number).values(finished_at=long_ago))


def test_the_film_of_what_counts_stays_however_old_it_is(classroom, film):
    (number,) = submit(classroom, push("ada"))
    age(classroom, measure(classroom, number, replay=film("a")), days=4000)

    assert swept(classroom, 3) == {"a"}


def test_a_film_that_another_has_taken_the_place_of_goes_after_a_while(classroom, film):
    (number,) = submit(classroom, push("ada"))
    old = measure(classroom, number, batch="1", replay=film("a"))
    measure(classroom, number, batch="2", replay=film("b"))
    assert swept(classroom, 3) == {"a", "b"}

    age(classroom, old, days=91)

    assert swept(classroom, 1) == {"a", "b"}, "who reads it now has an hour to end"
    assert swept(classroom, 2) == {"b"}
    with classroom.read() as connection:
        assert connection.scalar(select(evaluations.c.score).where(evaluations.c.id == old)) is not None


def test_two_evaluations_with_one_film_keep_it_as_long_as_one_does(classroom, film):
    first, second = submit(classroom, push("ada"), push("bob"))
    old = measure(classroom, first, batch="1", replay=film("a"))
    measure(classroom, first, batch="2")
    measure(classroom, second, batch="1", replay="a" * 64)
    age(classroom, old, days=91)

    assert swept(classroom, 3) == {"a"}


def test_what_a_killed_worker_has_left_goes_at_the_second_look(classroom, film):
    film("c")
    (classroom.files / ".0123.mp4").write_bytes(b"half a film")

    assert swept(classroom, 1) == {"c", "."}
    assert swept(classroom, 2) == set()


def test_how_long_films_stay_is_the_operators_choice(classroom, film):
    (number,) = submit(classroom, push("ada"))
    age(classroom, measure(classroom, number, batch="1", replay=film("a")), days=8)
    measure(classroom, number, batch="2")
    brief = replace(classroom, settings=replace(classroom.settings, keep_films_days=7))

    assert swept(classroom, 2) == {"a"}
    assert swept(brief, 2) == set()
