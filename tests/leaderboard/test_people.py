"""Who is who: names that change, are given away, or would be mistaken for another's."""

from dataclasses import replace
from datetime import timedelta

import pytest

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from rl_hub import clock
from rl_leaderboard.activity import feed
from rl_leaderboard.boards import board
from rl_leaderboard.boards.board import Query
from rl_leaderboard.errors import BadRequest, Conflict
from rl_leaderboard.people import export, people
from rl_leaderboard.people.people import HUB, Arrival
from rl_leaderboard.submissions import whereabouts


def welcome(classroom, subject, name, *, issuer=HUB, source=HUB, **more):
    with classroom.write() as connection:
        return people.welcome(connection, Arrival(issuer, subject, name, source, **more))


def call(classroom, person, pseudonym):
    with classroom.write() as connection:
        people.change_privacy(connection, person, pseudonym=pseudonym, is_public=False)


def now(classroom, person):
    with classroom.read() as connection:
        return people.get(connection, person.id)


def work_of(classroom, person):
    with classroom.read() as connection:
        return [row["repo_id"] for row in export.collect(connection, now(classroom, person))["submissions"]]


def on_board(classroom):
    with classroom.read() as connection:
        return [row.student for row in board.read_page(connection, Query(ASSIGNMENT)).rows]


def test_the_same_subject_is_the_same_person_whatever_the_name(classroom):
    first, second = welcome(classroom, "1", "ada"), welcome(classroom, "1", "Ada")

    assert (second.id, second.name, second.key) == (first.id, "Ada", "ada")


def test_work_from_before_the_first_sign_in_is_ones_own(classroom):
    submit(classroom, push("ada"))

    assert work_of(classroom, welcome(classroom, "1", "Ada")) == ["ada/invader"]


def test_a_new_account_under_an_old_name_inherits_nothing(classroom):
    """The Hub's account was deleted and made anew for somebody else."""
    welcome(classroom, "1", "ada", is_admin=True)
    deleted, _of_team = submit(classroom, push("ada"), push("ada", name="x"))
    measure(classroom, deleted)
    with classroom.write() as connection:
        whereabouts.forget(connection, HUB, "ada/invader")
        whereabouts.move(connection, HUB, "ada/x", "team/x")
    (own,) = submit(classroom, push("ada", name="own"))

    heir = welcome(classroom, "2", "ada")

    assert heir.role == "student"
    assert work_of(classroom, heir) == ["ada/own"], "what the new owner has pushed already stays"
    with classroom.read() as connection:
        assert {activity.submission_id for activity in feed.latest(connection, 50)} == {own}


def test_the_old_owner_keeps_the_account_and_no_claim_to_the_name(classroom):
    old = welcome(classroom, "1", "ada")
    welcome(classroom, "2", "ada")

    assert (now(classroom, old).name, now(classroom, old).source) == ("ada", None)
    assert work_of(classroom, old) == []


def test_another_sign_in_service_that_vouches_for_the_same_account_takes_nothing_away(classroom):
    source = "huggingface.co"
    welcome(classroom, "1", "ada", issuer="https://old.example", source=source)
    submit(classroom, push("ada", source=source))
    with classroom.write() as connection:
        whereabouts.move(connection, source, "ada/invader", "team/invader")

    again = welcome(classroom, "1", "ada", issuer="https://new.example", source=source)

    assert work_of(classroom, again) == ["team/invader"]


def test_whoever_takes_another_name_leaves_no_work_behind_for_its_next_owner(classroom):
    ada = welcome(classroom, "1", "ada")
    call(classroom, ada, "owl")
    submit(classroom, push("ada"))

    welcome(classroom, "1", "countess")

    assert on_board(classroom) == [], "the Hub tells of it again, under the new name"
    assert work_of(classroom, welcome(classroom, "2", "ada")) == []


def test_somebody_nobody_vouches_for_gets_no_work(classroom):
    submit(classroom, push("ada"))

    assert work_of(classroom, welcome(classroom, "1", "ada", issuer="https://id.example", source=None)) == []


@pytest.mark.parametrize("name", ["owl", "OWL", "\uff4fwl"])
def test_a_pseudonym_gives_way_to_a_name_and_hides_its_owner_still(classroom, name):
    ada = welcome(classroom, "1", "ada")
    call(classroom, ada, "Owl")
    submit(classroom, push("ada"))

    welcome(classroom, "2", name, issuer="https://id.example", source=None)

    (shown,) = on_board(classroom)
    assert shown.startswith("student-")
    assert now(classroom, ada).pseudonym == shown


def test_a_pseudonym_gives_way_to_a_name_that_somebody_takes_later(classroom):
    ada = welcome(classroom, "1", "ada")
    call(classroom, ada, "owl")
    welcome(classroom, "2", "bob")
    assert now(classroom, ada).pseudonym == "owl"

    welcome(classroom, "2", "owl")

    assert now(classroom, ada).pseudonym.startswith("student-")


def test_ones_own_name_is_no_reason_to_lose_a_pseudonym(classroom):
    ada = welcome(classroom, "1", "ada")
    call(classroom, ada, "ADA")
    welcome(classroom, "1", "Ada")

    assert now(classroom, ada).pseudonym == "ADA"


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a\nb", "a\u202eb", "a\0", "a" * 97, "\u0130" * 60])
def test_a_name_that_cannot_be_shown_is_refused(classroom, name):
    with pytest.raises(BadRequest, match="no user name"):
        welcome(classroom, "1", name)


def test_an_administrator_of_the_hub_is_one_here_as_long_as_the_hub_says_so(classroom):
    assert welcome(classroom, "1", "root", is_admin=True).role == "admin"
    assert welcome(classroom, "1", "root").role == "student"


def test_whom_this_site_made_an_administrator_stays_one_whatever_the_hub_says(classroom):
    root = welcome(classroom, "1", "root", is_admin=True)
    with classroom.write() as connection:
        people.change_role(connection, root.id, "admin")

    assert welcome(classroom, "1", "root").role == "admin"


def test_whom_the_hub_appoints_is_not_dismissed_here(classroom):
    root = welcome(classroom, "1", "root", is_admin=True)
    with classroom.write() as connection, pytest.raises(Conflict, match="sign-in service"):
        people.change_role(connection, root.id, "student")


def test_work_that_is_older_than_the_account_is_somebody_elses(classroom):
    """The account's name belonged to somebody who has never signed in here."""
    teamwork, later, _own = submit(
        classroom,
        of_team(push("ada", name="1", minutes_ago=30)),
        of_team(push("ada", name="2", minutes_ago=10)),
        push("ada", minutes_ago=30),
    )
    assert teamwork != later

    heir = welcome(classroom, "2", "ada", since=clock.now() - timedelta(minutes=20))

    assert sorted(work_of(classroom, heir)) == ["ada/invader", "team/2"]


def of_team(pushed):
    """The same, in a repository of an organisation."""
    return replace(pushed, repo_id="team/" + pushed.repo_id.partition("/")[2])


def test_whoever_is_on_the_operators_list_of_teachers_is_one_again_at_the_next_sign_in(classroom):
    with classroom.write() as connection:
        grace = people.welcome(connection, Arrival(HUB, "1", "Grace", HUB), ["grace"])
        assert grace.role == "teacher"
        people.change_role(connection, grace.id, "student")
        assert people.welcome(connection, Arrival(HUB, "1", "Grace", HUB), ["grace"]).role == "teacher"
        people.change_role(connection, grace.id, "student")
        assert people.welcome(connection, Arrival(HUB, "1", "Grace", HUB)).role == "student"
