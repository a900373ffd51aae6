"""What administrators decide about people, and the log of decisions."""

import pytest

from leaderboard_people import add_person
from rl_leaderboard.audit import log
from rl_leaderboard.errors import Conflict
from rl_leaderboard.people import people


def role_of(classroom, person):
    with classroom.read() as connection:
        return people.get(connection, person.id).role


def change(someone, person, role):
    return someone.send(f"/admin/people/{person.id}/role", {"role": role, "q": ""}, page="/settings")


@pytest.mark.parametrize("path", ["/admin/people", "/admin/audit"])
def test_only_administrators_come_in(client, sign_in, path):
    assert client.get(path, follow_redirects=False).headers["location"].startswith("/login?next=")
    assert sign_in("ada").get(path).status_code == 403
    assert sign_in("grace", role="teacher").get(path).status_code == 403
    assert sign_in("root", role="admin").get(path).status_code == 200


@pytest.mark.parametrize("role", ["student", "teacher"])
def test_nobody_else_changes_a_role(sign_in, classroom, role):
    eve = sign_in("eve", role=role)
    bob = add_person(classroom, "bob")

    assert change(eve, bob, "admin").status_code == 403
    assert change(eve, eve.person, "admin").status_code == 403
    assert role_of(classroom, bob) == "student"
    assert role_of(classroom, eve.person) == role


def test_an_administrator_makes_somebody_a_teacher_and_the_log_says_so(sign_in, classroom):
    root = sign_in("root", role="admin")
    grace = add_person(classroom, "grace")

    response = change(root, grace, "teacher")

    assert "grace is now: Teacher." in response.text
    assert role_of(classroom, grace) == "teacher"
    with classroom.read() as connection:
        (entry,) = log.latest(connection, 10)
    assert (entry.actor_name, entry.action, entry.subject) == ("root", "person.role", "grace")
    assert entry.details == {"person": grace.id, "before": "student", "after": "teacher"}
    assert "person.role" in root.get("/admin/audit").text


def test_a_role_that_stays_is_no_decision(sign_in, classroom):
    root = sign_in("root", role="admin")
    change(root, add_person(classroom, "grace"), "student")

    with classroom.read() as connection:
        assert log.latest(connection, 10) == []


def test_nobody_changes_their_own_role(sign_in, classroom):
    root = sign_in("root", role="admin")
    add_person(classroom, "other", role="admin")

    assert change(root, root.person, "student").status_code == 409
    assert role_of(classroom, root.person) == "admin"


def test_the_last_administrator_stays_one(classroom):
    root = add_person(classroom, "root", role="admin")
    with classroom.write() as connection:
        with pytest.raises(Conflict, match="only administrator"):
            people.change_role(connection, root.id, "teacher")
        with pytest.raises(Conflict, match="only administrator"):
            people.remove(connection, root)


def test_a_role_there_is_none_of_and_a_person_there_is_none_of(sign_in, classroom):
    root = sign_in("root", role="admin")
    grace = add_person(classroom, "grace")

    assert change(root, grace, "emperor").status_code == 400
    assert root.send("/admin/people/999/role", {"role": "teacher", "q": ""}, page="/settings").status_code == 404
    assert root.send(f"/admin/people/{2**70}/role", {"role": "teacher", "q": ""}, page="/settings").status_code == 404


def test_losing_the_role_works_at_once_in_open_sessions(sign_in, classroom):
    root, other = sign_in("root", role="admin"), sign_in("other", role="admin")
    change(root, other.person, "student")

    assert other.get("/admin/people").status_code == 403


def test_people_are_found_by_any_of_their_names(sign_in, classroom):
    root = sign_in("root", role="admin")
    ada = add_person(classroom, "ada")
    with classroom.write() as connection:
        people.change_privacy(connection, ada, pseudonym="Night Owl", is_public=False)
        people.welcome(connection, people.Arrival(people.HUB, "7", "lin", people.HUB, "Lin Yutang"))

    def names(words):
        text = root.get("/admin/people", params={"q": words}).text
        return [name for name in ("ada", "lin") if f"<span>{name}" in text]

    assert names("") == ["ada", "lin"]
    assert names("ADA") == ["ada"]
    assert names("owl") == ["ada"]
    assert names("yutang") == ["lin"]
    assert names("%") == []
    assert names("_") == []
    assert names("' OR 1=1 --") == []
    assert names("\0ada") == ["ada"]
    assert names("x" * 1000) == []


def test_people_are_paged_without_gap_or_repetition(sign_in, classroom):
    root = sign_in("root", role="admin")
    with classroom.write() as connection:
        for number in range(120):
            people.welcome(connection, people.Arrival(people.HUB, f"subject {number}", f"s{number:03}", people.HUB))
    seen, path = [], "/admin/people?q=s"
    while path:
        text = root.get(path).text
        seen += [f"s{number:03}" for number in range(120) if f"<span>s{number:03}<" in text]
        path = text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")

    assert seen == [f"s{number:03}" for number in range(120)]


def test_script_in_a_name_is_text(sign_in, classroom):
    root = sign_in("root", role="admin")
    with classroom.write() as connection:
        arrival = people.Arrival(people.HUB, "7", "<script>x", people.HUB, "<img src=x onerror=alert(1)>")
        people.welcome(connection, arrival)

    text = root.get("/admin/people").text
    assert "<script>x" not in text
    assert "<img src=x" not in text


def test_the_log_is_paged_newest_first(sign_in, classroom):
    root = sign_in("root", role="admin")
    with classroom.write() as connection:
        for number in range(101):
            log.record(connection, root.person, "board.freeze", f"board-{number:03}", why="<b>exam</b>")
    seen, path = [], "/admin/audit"
    while path:
        text = root.get(path).text
        seen += [part.partition("<")[0] for part in text.split('<td class="long-text">froze the board ')[1:]]
        path = text.partition('rel="next" href="')[2].partition('"')[0]

    assert seen == [f"board-{number:03}" for number in reversed(range(101))]
    assert "<b>exam" not in text


@pytest.mark.parametrize("before", ["0", "-1", "x", str(2**70)])
def test_a_place_in_the_log_that_there_is_not_is_refused(sign_in, before):
    assert sign_in("root", role="admin").get(f"/admin/audit?before={before}").status_code == 400
