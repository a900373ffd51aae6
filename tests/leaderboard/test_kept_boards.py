"""Rows of boards that one visitor has looked at and the next one sees."""

from dataclasses import replace

import pytest

from leaderboard_agents import ASSIGNMENT, push, submit
from rl_leaderboard.boards import board, generations
from rl_leaderboard.classes import members, records
from rl_leaderboard.people import people
from rl_leaderboard.web import kept
from rl_leaderboard.web.kept import Kept

PAGE = f"/boards/{ASSIGNMENT}"
YOU = '<span class="badge">You</span>'


@pytest.fixture
def readings(monkeypatch):
    """The queries for which a page of a board was read."""
    asked = []
    read_page = board.read_page

    def read(connection, query):
        asked.append(query)
        return read_page(connection, query)

    monkeypatch.setattr(board, "read_page", read)
    return asked


def test_a_class_has_the_rows_read_once(classroom, sign_in, readings):
    submit(classroom, push("ada"))

    pages = [sign_in(name).get(PAGE) for name in ("bob", "grace", "lin")]

    assert all("<bdi>ada</bdi>" in page.text for page in pages)
    assert len(readings) == 1


def test_each_sees_their_own_row_marked_and_no_other(classroom, sign_in, readings):
    submit(classroom, push("ada", mean=300), push("bob", mean=200))
    someone = {name: sign_in(name) for name in ("grace", "ada", "bob")}

    marks = {name: someone[name].get(PAGE).text.split('id="me"') for name in ("grace", "ada", "bob", "grace")}

    assert {name: len(parts) - 1 for name, parts in marks.items()} == {"grace": 0, "ada": 1, "bob": 1}
    for name in ("ada", "bob"):
        row = marks[name][1].partition("</tr>")[0]
        assert f"<bdi>{name}</bdi>" in row
        assert YOU in row
    assert len(readings) == 1


@pytest.mark.parametrize("header", [{}, {"HX-Request": "true"}])
def test_what_changes_is_seen_at_once(classroom, sign_in, header):
    bob = sign_in("bob")
    submit(classroom, push("ada"))
    bob.get(PAGE, headers=header)

    submit(classroom, push("grace"))
    ada = sign_in("ada").person
    with classroom.write() as connection:
        people.change_privacy(connection, ada, pseudonym="Countess", is_public=False)
    text = bob.get(PAGE, headers=header).text

    assert "<bdi>grace</bdi>" in text
    assert "<bdi>Countess</bdi>" in text
    assert "<bdi>ada</bdi>" not in text


def test_a_new_algorithm_can_be_chosen_at_once(classroom, sign_in):
    bob = sign_in("bob")
    submit(classroom, push("ada"))
    bob.get(PAGE)

    submit(classroom, replace(push("grace"), algorithm="PPO"))

    assert '<option value="PPO">' in bob.get(PAGE).text


def test_the_rows_of_a_class_follow_its_members(classroom, sign_in):
    teacher, ada = sign_in("grace", role="teacher"), sign_in("ada")
    submit(classroom, push("ada"))
    with classroom.write() as connection:
        made = records.create(connection, "Tuesdays", teacher.person)
    before = teacher.get(f"{PAGE}?class={made.id}").text

    with classroom.write() as connection:
        members.join(connection, made.id, ada.person.id, "student")

    assert "<bdi>ada</bdi>" not in before
    assert "<bdi>ada</bdi>" in teacher.get(f"{PAGE}?class={made.id}").text


def test_what_was_made_before_a_change_is_not_kept_as_newer(classroom):
    values = Kept[str](classroom, most_bytes=100)
    generation = values.generation("a board")
    with classroom.write() as connection:
        generations.bump(connection, ["a board"])

    values.keep("key", "old", size=1, depends_on="a board", generation=generation)

    assert values.find("key") is None


def test_a_value_is_kept_for_half_a_minute(classroom, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(kept.time, "monotonic", lambda: now)
    values = Kept[str](classroom, most_bytes=100)
    values.keep("key", "value", size=1, depends_on="a board", generation=0)

    now = 1029.0
    assert values.find("key") == "value"
    now = 1030.0
    assert values.find("key") is None


def test_what_was_not_asked_for_longest_makes_room(classroom):
    values = Kept[str](classroom, most_bytes=100)
    for key in ("a", "b"):
        values.keep(key, key, size=40, depends_on="a board", generation=0)
    values.find("a")

    values.keep("c", "c", size=40, depends_on="a board", generation=0)
    values.keep("huge", "huge", size=101, depends_on="a board", generation=0)

    assert [values.find(key) for key in ("a", "b", "c", "huge")] == ["a", None, "c", None]
