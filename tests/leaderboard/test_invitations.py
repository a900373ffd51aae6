"""Invitations: links by which people join a class."""

import pytest

from hub_clock import moving_clock
from leaderboard_classes import invite, make_class, roles_in
from rl_leaderboard.classes import invitations, records
from rl_leaderboard.errors import BadRequest, Conflict, NotFound

DAY = 24 * 3600


@pytest.fixture
def grace(sign_in):
    return sign_in("grace", role="teacher")


@pytest.fixture
def record(classroom, grace):
    return make_class(classroom, grace, name="Autumn <2026>")


def test_a_link_says_which_class_it_is_and_joins_after_a_click(classroom, sign_in, record):
    ada, code = sign_in("ada"), invite(classroom, record)

    page = ada.get(f"/join/{code}")
    before = roles_in(classroom, record)
    joined = ada.send(f"/join/{code}", {}, follow_redirects=False)

    assert "Autumn &lt;2026&gt;" in page.text
    assert before == {"grace": "teacher"}
    assert (joined.status_code, joined.headers["location"]) == (303, f"/classes/{record.id}")
    assert roles_in(classroom, record) == {"grace": "teacher", "ada": "student"}


def test_who_is_not_signed_in_signs_in_first_and_comes_back(classroom, client, record):
    answer = client.get(f"/join/{invite(classroom, record)}", follow_redirects=False)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=%2Fjoin%2F")


def test_joining_twice_is_harmless_and_told_once(classroom, sign_in, record, grace):
    ada, code = sign_in("ada"), invite(classroom, record)
    first = ada.send(f"/join/{code}", {})
    second = ada.send(f"/join/{code}", {}, page=f"/classes/{record.id}")

    assert [first.status_code, second.status_code] == [200, 200]
    assert roles_in(classroom, record)["ada"] == "student"
    assert "You are in this class already" in ada.get(f"/join/{code}").text
    assert grace.get(f"/classes/{record.id}/log").text.count("joined as a student") == 1


def test_an_invitation_never_lowers_a_role_but_may_raise_it(classroom, sign_in, record, grace):
    ada = sign_in("ada")
    ada.send(f"/join/{invite(classroom, record)}", {})
    ada.send(f"/join/{invite(classroom, record, role='teacher')}", {})
    grace.send(f"/join/{invite(classroom, record)}", {}, page=f"/classes/{record.id}/people")

    assert roles_in(classroom, record) == {"ada": "teacher", "grace": "teacher"}


def test_an_expired_invitation_is_a_sentence(classroom, sign_in, record, monkeypatch):
    ada, code = sign_in("ada"), invite(classroom, record, days=1)
    other = invite(classroom, record, days=9)

    moving_clock(monkeypatch)(DAY + 1)
    answers = [ada.get(f"/join/{code}"), ada.send(f"/join/{code}", {}, page=f"/join/{other}")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert all("Ask your teacher for a new one" in answer.text for answer in answers)
    assert "ada" not in roles_in(classroom, record)


def test_a_revoked_invitation_leads_nowhere(classroom, sign_in, record, grace):
    ada, code = sign_in("ada"), invite(classroom, record)
    page = f"/classes/{record.id}/people"
    shown = grace.get(page).text

    grace.send(f"/classes/{record.id}/invitations/revoke", {"code": code}, page=page)

    assert f"http://classroom.test/join/{code}" in shown
    assert code not in grace.get(page).text
    assert ada.get(f"/join/{code}").status_code == 404


def test_an_archived_class_lets_nobody_in(classroom, sign_in, record):
    code = invite(classroom, record)
    with classroom.write() as connection:
        records.archive(connection, record.id)

    assert sign_in("ada").get(f"/join/{code}").status_code == 404


@pytest.mark.parametrize("code", ["x", "%00", "a%00b", "%F0%9F%8E%B2", "x" * 5000, "..%2f..%2fadmin", "'%20OR%201=1"])
def test_a_code_of_somebody_elses_making_is_not_found(sign_in, code):
    assert sign_in("ada").get(f"/join/{code}").status_code == 404


def test_codes_are_long_and_never_the_same(classroom, record):
    codes = {invite(classroom, record) for _ in range(20)}

    assert len(codes) == 20
    assert all(len(code) == 22 for code in codes)


@pytest.mark.parametrize(("role", "days"), [("admin", 7), ("", 7), ("student", 0), ("student", 366), ("student", -1)])
def test_an_invitation_of_another_kind_is_refused(classroom, record, role, days):
    with classroom.write() as connection, pytest.raises(BadRequest):
        invitations.create(connection, record.id, role=role, days=days)


def test_a_class_has_a_bounded_number_of_invitations_and_expired_ones_make_room(classroom, record, monkeypatch):
    monkeypatch.setattr(invitations, "MOST_INVITATIONS", 2)
    invite(classroom, record, days=1)
    invite(classroom, record, days=9)
    with pytest.raises(Conflict, match="revoke one first"):
        invite(classroom, record)

    moving_clock(monkeypatch)(2 * DAY)
    invite(classroom, record)

    with classroom.read() as connection:
        assert len(invitations.list_of_class(connection, record.id)) == 2


def test_the_invitation_of_another_class_cannot_be_revoked(classroom, sign_in, record):
    other = make_class(classroom, sign_in("hedy", role="teacher"))
    code = invite(classroom, other)

    with classroom.write() as connection, pytest.raises(NotFound):
        invitations.revoke(connection, record.id, code)
