"""Who has deleted their account: they stay away, and come back to what was decided about their work."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from hub_clock import moving_clock
from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_people import add_person
from rl_leaderboard.audit import log
from rl_leaderboard.boards import assignments, board
from rl_leaderboard.boards.board import Query
from rl_leaderboard.classes import invitations, records
from rl_leaderboard.database import tables
from rl_leaderboard.people import people
from rl_leaderboard.submissions import submissions


def leave(classroom, person):
    with classroom.write() as connection:
        people.remove(connection, people.get(connection, person.id))


def on_board(classroom):
    with classroom.read() as connection:
        return [row.student for row in board.read_page(connection, Query(ASSIGNMENT)).rows]


def read(classroom, number):
    with classroom.read() as connection:
        return submissions.get(connection, number)


def retract(classroom, number, reason="Copied."):
    with classroom.write() as connection:
        submissions.retract(connection, submissions.get(connection, number), reason)


def set_quota(classroom, quota):
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting="best", quota_per_day=quota)


def test_the_name_behind_a_pseudonym_does_not_come_back_with_the_hubs_next_news(classroom):
    ada = add_person(classroom, "ada")
    submit(classroom, push("ada"))
    with classroom.write() as connection:
        people.change_privacy(connection, ada, pseudonym="Owl", is_public=False)
    leave(classroom, ada)

    of_team = replace(push("ada", sha="c" * 40), repo_id="team/agent")
    assert submit(classroom, push("ada"), push("Ada", sha="b" * 40), of_team) == []
    assert on_board(classroom) == []
    assert len(submit(classroom, push("ada", source="huggingface.co"), push("bob"))) == 2, "they are somebody else"


def test_nothing_that_is_kept_has_the_name_in_it(classroom):
    ada = add_person(classroom, "ada-lovelace")
    (number,) = submit(classroom, push("ada-lovelace", name="dueller"))
    retract(classroom, number)
    leave(classroom, ada)

    with classroom.read() as connection:
        (kept,) = connection.execute(select(tables.departures)).all()
    assert "lovelace" not in repr(kept)
    assert "dueller" not in repr(kept)


def test_whoever_comes_back_finds_in_the_export_what_was_kept(classroom, sign_in):
    ada = add_person(classroom, "ada")
    (number,) = submit(classroom, push("ada"))
    retract(classroom, number)
    leave(classroom, ada)

    (kept,) = sign_in("ada").get("/settings/export").json()["departures"]

    assert kept["reviews"] == {ASSIGNMENT: "Copied."}


def test_whoever_signs_in_again_hands_in_again(classroom):
    leave(classroom, add_person(classroom, "ada"))
    add_person(classroom, "ada")

    submit(classroom, push("ada"))

    assert on_board(classroom) == ["ada"]


def test_leaving_undoes_no_retraction(classroom):
    ada = add_person(classroom, "ada")
    (number,) = submit(classroom, push("ada"))
    retract(classroom, number)
    leave(classroom, ada)
    add_person(classroom, "ada")

    (again,) = submit(classroom, push("ada"))

    assert (read(classroom, again).retraction, read(classroom, again).counts) == ("Copied.", False)
    assert on_board(classroom) == []


def test_what_comes_after_a_retraction_waits_for_a_teacher_though_its_student_left_meanwhile(classroom):
    ada = add_person(classroom, "ada")
    (number,) = submit(classroom, push("ada"))
    retract(classroom, number)
    leave(classroom, ada)
    leave(classroom, add_person(classroom, "ada"))
    add_person(classroom, "ada")

    (same_agent,) = submit(classroom, push("ada", sha="b" * 40))

    assert "Copied." in read(classroom, same_agent).retraction
    assert on_board(classroom) == []
    with classroom.write() as connection:
        submissions.restore(connection, submissions.get(connection, same_agent))
    submit(classroom, push("ada", sha="c" * 40, mean=500.0))
    assert on_board(classroom) == ["ada"], "a teacher has looked at it"


def test_a_retraction_that_was_taken_back_does_not_return(classroom):
    ada = add_person(classroom, "ada")
    (number,) = submit(classroom, push("ada"))
    retract(classroom, number)
    leave(classroom, ada)
    ada = add_person(classroom, "ada")
    (again,) = submit(classroom, push("ada"))
    with classroom.write() as connection:
        submissions.restore(connection, submissions.get(connection, again))
    leave(classroom, ada)
    add_person(classroom, "ada")

    submit(classroom, push("ada"))

    assert on_board(classroom) == ["ada"]


@pytest.mark.parametrize(("hours", "is_over"), [(0, True), (25, False)])
def test_leaving_gives_no_second_quota_on_the_same_day(classroom, monkeypatch, hours, is_over):
    move = moving_clock(monkeypatch)
    ada = add_person(classroom, "ada")
    set_quota(classroom, 1)
    (first,) = submit(classroom, push("ada"))
    measure(classroom, first)
    leave(classroom, ada)
    add_person(classroom, "ada")
    move(hours * 3600)

    (number,) = submit(classroom, push("ada", sha="b" * 40))

    assert read(classroom, number).over_quota is is_over


def test_the_log_of_a_class_forgets_who_joined_and_keeps_what_was_decided(classroom, sign_in):
    grace, ada = sign_in("grace", role="teacher"), sign_in("ada")
    with classroom.write() as connection:
        record = records.create(connection, "Tuesdays", grace.person)
        invitation = invitations.create(connection, record.id, role="student", days=7)
    ada.send(f"/join/{invitation.code}", {})
    assert ("ada", "class.join") in decided(classroom)

    ada.send("/settings/data/delete", {"name": "ada"}, page="/settings/data")

    assert ("Somebody who has left", "class.join") in decided(classroom)
    assert "ada" not in grace.get(f"/classes/{record.id}/log").text.replace("data-", "")


def decided(classroom):
    with classroom.read() as connection:
        return {(entry.actor_name, entry.action) for entry in log.latest(connection, 50)}
