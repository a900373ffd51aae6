"""What teachers see and decide: classes, boards, submissions; and that nobody else does."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from leaderboard_agents import ASSIGNMENT, measure, push, submit
from leaderboard_classes import invite, make_class, roles_in
from leaderboard_people import add_person, form_token
from rl_hub import clock
from rl_leaderboard.activity import feed
from rl_leaderboard.audit import log
from rl_leaderboard.boards import assignments
from rl_leaderboard.classes import deadlines, records
from rl_leaderboard.people import people
from rl_leaderboard.submissions import submissions
from rl_units.course import Course, load_course


@pytest.fixture
def course():
    """One unit with one required assignment: who has passed that misses nothing."""
    return Course(load_course().units[:1])


@pytest.fixture
def grace(sign_in):
    return sign_in("grace", role="teacher")


@pytest.fixture
def ada(sign_in):
    return sign_in("ada")


@pytest.fixture
def record(classroom, grace, ada):
    return make_class(classroom, grace, ada)


def due_in(classroom, record):
    with classroom.read() as connection:
        return deadlines.read(connection, record.id)


def submission(classroom, number):
    with classroom.read() as connection:
        return submissions.get(connection, number)


def decisions(classroom, **where):
    with classroom.read() as connection:
        return [(entry.actor_name, entry.action) for entry in log.latest(connection, 50, **where)]


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


# A teacher's home


def test_a_teacher_makes_a_class_and_is_its_teacher(classroom, grace):
    answer = grace.send("/teach/classes", {"name": "  Spring   2027 "}, page="/teach")

    assert "Spring 2027" in answer.text
    assert "Spring 2027" in grace.get("/teach").text
    assert decisions(classroom) == [("grace", "class.create")]


def test_a_student_makes_no_class(grace, ada):
    token = form_token(ada.get("/units").text)

    assert ada.get("/teach").status_code == 403
    assert ada.browser.post("/teach/classes", data={"form_token": token, "name": "Mine"}).status_code == 403
    assert "Mine" not in grace.get("/teach").text


def test_who_teaches_one_class_only_sees_that_one_and_no_boards(classroom, ada, record, sign_in):
    helper = sign_in("helper")
    helper.send(f"/join/{invite(classroom, record, role='teacher')}", {})
    make_class(classroom, sign_in("hedy", role="teacher"), name="Somebody else's")

    page = helper.get("/teach").text

    assert "Autumn" in page
    assert "Somebody else" not in page
    assert "/teach/boards/" not in page
    assert "/teach/classes" not in page


def test_an_administrator_sees_every_class(classroom, record, sign_in):
    assert "Autumn" in sign_in("root", role="admin").get("/teach").text


def test_who_is_not_signed_in_is_led_to_sign_in(client):
    answer = client.get("/teach", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fteach")


# The roster


def test_the_roster_shows_real_names_with_the_pseudonym_in_brackets(classroom, grace, ada, record):
    with classroom.write() as connection:
        people.change_privacy(connection, ada.person, pseudonym="Countess", is_public=False)
    submit(classroom, push("ada", mean=300, std=50))

    page = grace.get(f"/classes/{record.id}").text

    assert "<span>ada</span>" in page
    assert "(Countess)" in page
    assert ">250.00</a>" in page


def test_late_and_missing_work_is_found(classroom, grace, ada, sign_in):
    record = make_class(classroom, grace, ada, sign_in("bob"), sign_in("carl"))
    ids = submit(classroom, push("ada", minutes_ago=90), push("bob", minutes_ago=5))
    for number in ids:
        measure(classroom, number)
    with classroom.write() as connection:
        deadlines.change(connection, record.id, {ASSIGNMENT: clock.now() - timedelta(minutes=60)})

    everybody = grace.get(f"/classes/{record.id}").text
    behind = grace.get(f"/classes/{record.id}?show=attention").text
    rows = rows_of(grace.get(f"/classes/{record.id}/roster.csv?show=attention"))

    assert all(f"<span>{name}</span></a>" in everybody for name in ("ada", "bob", "carl"))
    assert [name for name in ("ada", "bob", "carl") if f"<span>{name}</span></a>" in behind] == ["bob", "carl"]
    assert [(row["student"], row[f"{ASSIGNMENT} state"], row[f"{ASSIGNMENT} late"]) for row in rows] == [
        ("bob", "passed", "yes"),
        ("carl", "missing", "no"),
    ]


def test_a_name_is_no_formula_in_the_csv_and_a_number_stays_a_number(classroom, grace, ada, record):
    with classroom.write() as connection:
        people.change_privacy(connection, ada.person, pseudonym='=HYPERLINK("http://evil")', is_public=False)
    submit(classroom, push("ada", mean=-5, std=0))

    (row,) = rows_of(grace.get(f"/classes/{record.id}/roster.csv"))

    assert row["pseudonym"] == '\'=HYPERLINK("http://evil")'
    assert float(row[ASSIGNMENT]) == -5.0


def test_names_are_text_on_every_page(classroom, grace, sign_in):
    mallory = sign_in("<script>alert(1)<script>")
    record = make_class(classroom, grace, mallory, name="<img src=x onerror=alert(1)>")
    grace.send(
        f"/classes/{record.id}/members/{mallory.person.id}/role",
        {"role": "teacher"},
        page=f"/classes/{record.id}/people",
    )

    for path in ("", "/people", "/settings", "/log"):
        page = grace.get(f"/classes/{record.id}{path}").text
        assert "<img src=x" not in page
        assert "<script>alert" not in page


# A class as its students see it


def test_a_student_sees_what_is_due_and_nobody_else(classroom, ada, sign_in, grace):
    record = make_class(classroom, grace, ada, sign_in("bob"))
    with classroom.write() as connection:
        deadlines.change(connection, record.id, {ASSIGNMENT: datetime(2026, 12, 24, 18, tzinfo=UTC)})

    page = ada.get(f"/classes/{record.id}").text

    assert "24 Dec 2026, 18:00 UTC" in page
    assert f"/boards/{ASSIGNMENT}?class={record.id}" in page
    assert "bob" not in page


def test_a_student_may_leave(classroom, ada, record):
    ada.send(f"/classes/{record.id}/leave", {}, page=f"/classes/{record.id}")

    assert "ada" not in roles_in(classroom, record)
    assert ada.get(f"/classes/{record.id}").status_code == 404


def test_everybody_finds_their_own_classes_again(classroom, ada, grace, record, sign_in):
    make_class(classroom, sign_in("hedy", role="teacher"), name="Somebody else's")

    page = ada.get("/classes").text

    assert f'href="/classes/{record.id}">Autumn</a>' in page
    assert "Somebody else" not in page
    assert 'href="/classes">My classes</a>' in ada.get("/units").text


def test_the_list_of_an_administrator_has_no_class_of_others(record, sign_in):
    assert "Autumn" not in sign_in("root", role="admin").get("/classes").text


# What teachers decide about a class


def test_deadlines_are_set_and_taken_back(classroom, grace, record):
    page = f"/classes/{record.id}/settings"
    fields = {f"due-{one.id}": "" for one in classroom.course.assignments}

    grace.send(f"/classes/{record.id}/deadlines", {**fields, f"due-{ASSIGNMENT}": "2026-12-24T18:00"}, page=page)
    first = due_in(classroom, record)
    shown = grace.get(page).text
    grace.send(f"/classes/{record.id}/deadlines", fields, page=page)

    assert first == {ASSIGNMENT: datetime(2026, 12, 24, 18, tzinfo=UTC)}
    assert 'value="2026-12-24T18:00"' in shown
    assert due_in(classroom, record) == {}
    assert decisions(classroom, class_id=record.id) == [("grace", "class.deadlines")] * 2


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01T00:00", "0001-01-01T00:00", "9999-12-31T23:59", "2026-12-24"])
def test_a_deadline_that_is_no_moment_is_refused(classroom, grace, record, text):
    fields = {f"due-{one.id}": "" for one in classroom.course.assignments} | {f"due-{ASSIGNMENT}": text}

    answer = grace.send(f"/classes/{record.id}/deadlines", fields, page=f"/classes/{record.id}/settings")

    assert answer.status_code == 400
    assert "date and a time in UTC" in answer.text
    assert due_in(classroom, record) == {}


def test_a_refused_deadline_leaves_in_the_form_what_was_typed(classroom, grace, record):
    refused, *others = classroom.course.assignments
    fields = {f"due-{one.id}": "2026-12-24T18:00" for one in others} | {f"due-{refused.id}": "tomorrow"}

    answer = grace.send(f"/classes/{record.id}/deadlines", fields, page=f"/classes/{record.id}/settings")

    assert f"{refused.title}: A deadline is a date and a time in UTC" in answer.text
    assert answer.text.count('value="2026-12-24T18:00"') == len(others)
    assert 'value="tomorrow" aria-invalid="true"' in answer.text
    assert due_in(classroom, record) == {}


def test_an_invitation_is_made_on_the_page_and_its_code_stays_out_of_the_log(classroom, grace, record, sign_in):
    people_page = f"/classes/{record.id}/people"
    page = grace.send(f"/classes/{record.id}/invitations", {"role": "student", "days": "7"}, page=people_page).text
    code = page.partition("/join/")[2].partition("<")[0]
    sign_in("bob").send(f"/join/{code}", {})

    assert roles_in(classroom, record)["bob"] == "student"
    assert decisions(classroom, class_id=record.id) == [("bob", "class.join"), ("grace", "class.invite")]
    assert code not in grace.get(f"/classes/{record.id}/log").text


@pytest.mark.parametrize(("role", "days"), [("admin", "7"), ("student", "3650"), ("student", "x"), ("student", "-1")])
def test_an_invitation_that_the_page_does_not_offer_is_refused(classroom, grace, record, role, days):
    form = {"role": role, "days": days}

    answer = grace.send(f"/classes/{record.id}/invitations", form, page=f"/classes/{record.id}/people")

    assert answer.status_code == 400
    assert decisions(classroom, class_id=record.id) == []


def test_a_class_gets_another_name(classroom, grace, record):
    page = f"/classes/{record.id}/settings"

    assert "Winter" in grace.send(f"/classes/{record.id}/name", {"name": "Winter"}, page=page).text
    assert grace.send(f"/classes/{record.id}/name", {"name": " "}, page=page).status_code == 400
    assert decisions(classroom, class_id=record.id) == [("grace", "class.rename")]


def test_what_changes_nothing_is_not_in_the_log(classroom, grace, record):
    (number,) = submit(classroom, push("ada"))
    with classroom.write() as connection:
        submissions.queue(connection, submissions.get(connection, number))
    page = f"/classes/{record.id}/settings"

    grace.send(f"/classes/{record.id}/restore", {}, page=page)
    grace.send(f"/classes/{record.id}/deadlines", {f"due-{a.id}": "" for a in classroom.course.assignments}, page=page)
    grace.send(BOARD, {"counting": "best", "quota_per_day": ""})
    grace.send(f"{BOARD}/thaw", {}, page=BOARD)
    decide(grace, number, "rejudge")
    decide(grace, number, "restore")

    assert decisions(classroom) == []


def test_members_get_another_role_and_are_removed(classroom, grace, ada, record):
    page = f"/classes/{record.id}/people"
    grace.send(f"/classes/{record.id}/members/{ada.person.id}/role", {"role": "teacher"}, page=page)
    raised = roles_in(classroom, record)
    grace.send(f"/classes/{record.id}/members/{ada.person.id}/remove", {}, page=page)

    assert raised["ada"] == "teacher"
    assert "ada" not in roles_in(classroom, record)
    assert [action for _, action in decisions(classroom, class_id=record.id)] == ["class.remove", "class.role"]


def test_what_is_decided_about_a_member_is_asked_on_a_page_of_its_own(classroom, grace, ada, record, sign_in):
    people_page = grace.get(f"/classes/{record.id}/people").text
    address = f"/classes/{record.id}/members/{ada.person.id}"
    page = grace.get(address).text

    assert f'href="{address}"' in people_page
    assert f'action="{address}' not in people_page
    assert "Make ada a teacher of the class" in page
    assert "Remove ada from the class" in page
    assert roles_in(classroom, record)["ada"] == "student"
    for someone in (ada, sign_in("hedy", role="teacher")):
        assert someone.get(address).status_code == 404


def test_the_last_teacher_stays(grace, record):
    answer = grace.send(
        f"/classes/{record.id}/members/{grace.person.id}/remove", {}, page=f"/classes/{record.id}/people"
    )

    assert answer.status_code == 409
    assert "at least one teacher" in answer.text


def test_an_archived_class_can_be_read_and_brought_back_but_not_changed(classroom, grace, ada, record):
    page = f"/classes/{record.id}/settings"
    unsure = grace.send(f"/classes/{record.id}/archive", {}, page=page)
    grace.send(f"/classes/{record.id}/archive", {"sure": "yes"}, page=page)
    refused = grace.send(f"/classes/{record.id}/name", {"name": "Other"}, page=page)

    assert unsure.status_code == 400
    assert refused.status_code == 409
    assert ada.get(f"/classes/{record.id}").status_code == 404
    assert grace.get(f"/classes/{record.id}").status_code == 200
    assert "Archived" in grace.get("/teach").text

    grace.send(f"/classes/{record.id}/restore", {}, page=page)
    assert ada.get(f"/classes/{record.id}").status_code == 200


def test_a_student_leaves_an_archived_class(classroom, ada, record):
    with classroom.write() as connection:
        records.archive(connection, record.id)

    before = ada.get("/classes").text
    ada.send(f"/classes/{record.id}/leave", {}, page="/classes")

    assert "Classes that are over" in before
    assert f'href="/classes/{record.id}"' not in before
    assert roles_in(classroom, record) == {"grace": "teacher"}
    assert "You are in no class" in ada.get("/classes").text


def test_nobody_leaves_a_class_of_others(classroom, record, sign_in):
    for stranger in (sign_in("eve"), sign_in("root", role="admin")):
        token = form_token(stranger.get("/settings").text)
        answer = stranger.browser.post(f"/classes/{record.id}/leave", data={"form_token": token})
        assert answer.status_code == 404


def test_the_log_of_a_class_is_read_a_page_at_a_time(classroom, grace, record):
    with classroom.write() as connection:
        for number in range(60):
            log.record(connection, grace.person, "class.rename", f"name {number}", class_id=record.id)

    first = grace.get(f"/classes/{record.id}/log").text
    older = first.partition('rel="next" href="')[2].partition('"')[0]
    second = grace.get(older).text

    assert "name 59" in first
    assert "name 9<" not in first
    assert "name 9<" in second
    assert "name 0<" in second


# Nobody else


def reading(record):
    return [f"/classes/{record.id}{path}" for path in ("", "/roster.csv", "/people", "/settings", "/log")]


def writing(classroom, record, person):
    base = f"/classes/{record.id}"
    fields = {f"due-{one.id}": "2026-12-24T18:00" for one in classroom.course.assignments}
    return [
        (f"{base}/invitations", {"role": "teacher", "days": "7"}),
        (f"{base}/invitations/revoke", {"code": invite(classroom, record)}),
        (f"{base}/deadlines", fields),
        (f"{base}/name", {"name": "Taken over"}),
        (f"{base}/members/{person.id}/role", {"role": "teacher"}),
        (f"{base}/members/{person.id}/remove", {}),
        (f"{base}/archive", {"sure": "yes"}),
        (f"{base}/restore", {}),
    ]


def test_a_teacher_neither_reads_nor_changes_the_class_of_another(classroom, grace, ada, record, sign_in):
    hedy = sign_in("hedy", role="teacher")
    own = make_class(classroom, hedy)

    assert {path: hedy.get(path).status_code for path in reading(record)} == dict.fromkeys(reading(record), 404)
    for path, form in writing(classroom, record, ada.person):
        assert hedy.send(path, form, page=f"/classes/{own.id}/people").status_code == 404, path
    with classroom.read() as connection:
        assert roles_in(classroom, record) == {"grace": "teacher", "ada": "student"}
        assert deadlines.read(connection, record.id) == {}
        assert records.find(connection, _visitor(grace), record.id)[0].name == "Autumn"
    assert decisions(classroom, class_id=record.id) == []


def test_a_student_sees_no_roster_and_changes_nothing(classroom, ada, record):
    for path in reading(record)[1:]:
        assert ada.get(path).status_code == 404, path
    for path, form in writing(classroom, record, ada.person):
        assert ada.send(path, form, page=f"/classes/{record.id}").status_code == 404, path
    assert roles_in(classroom, record) == {"grace": "teacher", "ada": "student"}


def test_a_member_of_another_class_cannot_be_reached_through_the_own_one(classroom, grace, record, sign_in):
    hedy, eve = sign_in("hedy", role="teacher"), sign_in("eve")
    other = make_class(classroom, hedy, eve, name="Other")

    answer = grace.send(f"/classes/{record.id}/members/{eve.person.id}/remove", {}, page=f"/classes/{record.id}/people")

    assert answer.status_code == 404
    assert "eve" in roles_in(classroom, other)


def test_visitors_find_nothing(client, record):
    assert {client.get(path).status_code for path in reading(record)} == {404}


def test_a_class_that_cannot_be_is_not_found(grace):
    assert grace.get(f"/classes/{2**62}").status_code == 404
    assert grace.get(f"/classes/{2**70}").status_code == 404


def test_a_form_without_its_token_changes_nothing(classroom, grace, ada, record):
    for path, form in writing(classroom, record, ada.person):
        assert grace.browser.post(path, data=form).status_code in (400, 403), path
    assert roles_in(classroom, record) == {"grace": "teacher", "ada": "student"}


def _visitor(someone):
    from rl_leaderboard.people.visitor import Visitor

    return Visitor(someone.person, {}, "session", may_write=True)


# Boards


BOARD = f"/teach/boards/{ASSIGNMENT}"


def test_what_counts_and_the_quota_are_settings_of_the_board(classroom, grace):
    grace.send(BOARD, {"counting": "latest", "quota_per_day": "3"})
    with classroom.read() as connection:
        limited = assignments.get(connection, ASSIGNMENT)
    grace.send(BOARD, {"counting": "best", "quota_per_day": ""})
    with classroom.read() as connection:
        free = assignments.get(connection, ASSIGNMENT)

    assert (limited.counting, limited.quota_per_day) == ("latest", 3)
    assert (free.counting, free.quota_per_day) == ("best", None)
    assert decisions(classroom) == [("grace", "board.change")] * 2


@pytest.mark.parametrize("form", [("best", "0"), ("best", "1001"), ("best", "-1"), ("best", "many"), ("worst", "")])
def test_settings_that_cannot_be_are_refused(classroom, grace, form):
    answer = grace.send(BOARD, {"counting": form[0], "quota_per_day": form[1]})

    assert answer.status_code == 400
    assert decisions(classroom) == []


def test_a_board_is_frozen_and_thawed(classroom, grace):
    grace.send(f"{BOARD}/freeze", {}, page=BOARD)
    submit(classroom, push("ada"))
    frozen = grace.get(BOARD).text
    grace.send(f"{BOARD}/thaw", {}, page=BOARD)

    assert "Let it move again" in frozen
    assert "0 submissions" in frozen
    assert "1 submission." in grace.get(BOARD).text
    assert [action for _, action in decisions(classroom)] == ["board.thaw", "board.freeze"]


def test_a_whole_board_is_queued_with_one_entry_in_the_log_and_no_activity(classroom, grace):
    ids = submit(classroom, *(push(f"s{number}", mean=number, sha=f"{number:040}") for number in range(1, 6)))
    (second,) = submit(classroom, push("s1", mean=0, sha="f" * 40))
    measure(classroom, ids[0])
    with classroom.read() as connection:
        before = feed.newest_id(connection)

    unsure = grace.send(f"{BOARD}/rejudge", {}, page=BOARD)
    page = grace.send(f"{BOARD}/rejudge", {"sure": "yes"}, page=BOARD).text

    with classroom.read() as connection:
        entries = log.latest(connection, 9)
        assert feed.newest_id(connection) == before
    assert unsure.status_code == 400
    assert [submission(classroom, number).state for number in ids] == ["queued"] * 5
    assert submission(classroom, second).state == "received"
    assert submission(classroom, ids[0]).verified_score is not None
    assert [(entry.action, entry.details) for entry in entries] == [("board.rejudge", {"queued": 5})]
    assert "A judge takes them from the queue when one runs" in page


def test_what_is_being_played_is_not_queued_again(classroom, grace):
    (number,) = submit(classroom, push("ada"))
    with classroom.write() as connection:
        submissions._change(connection, submissions.get(connection, number), state="running")

    grace.send(f"{BOARD}/rejudge", {"sure": "yes"}, page=BOARD)

    assert submission(classroom, number).state == "running"


@pytest.mark.parametrize("path", ["", "/freeze", "/thaw", "/rejudge"])
def test_boards_are_for_teachers_of_the_site(classroom, ada, record, sign_in, path):
    helper = sign_in("helper")
    helper.send(f"/join/{invite(classroom, record, role='teacher')}", {})
    form = {"counting": "latest", "quota_per_day": "", "sure": "yes"}

    for someone in (ada, helper):
        assert someone.get(BOARD).status_code == 403
        assert someone.send(f"{BOARD}{path}", form, page=f"/classes/{record.id}").status_code == 403
    assert decisions(classroom) == [("helper", "class.join")]


def test_a_board_that_is_not_of_the_course_is_not_found(grace):
    assert grace.get("/teach/boards/chess").status_code == 404
    assert grace.get("/teach/boards/%00").status_code == 404


# Submissions


def decide(teacher, number, what, **form):
    return teacher.send(f"/teach/submissions/{number}/{what}", form, page="/teach", follow_redirects=False)


def test_a_submission_is_queued_again_and_keeps_its_claim(classroom, grace):
    (number,) = submit(classroom, push("ada", mean=300, std=50))

    answer = decide(grace, number, "rejudge")

    assert (answer.status_code, answer.headers["location"]) == (303, f"/agents/{number}")
    assert (submission(classroom, number).state, submission(classroom, number).score) == ("queued", 250.0)
    assert decisions(classroom) == [("grace", "submission.rejudge")]


def test_a_submission_is_retracted_with_a_reason_and_restored(classroom, grace):
    (number,) = submit(classroom, push("ada"))

    decide(grace, number, "retract", reason="  Copied from\r\nBob. ")
    retracted = submission(classroom, number)
    decide(grace, number, "restore")

    assert (retracted.counts, retracted.retraction) == (False, "Copied from Bob.")
    assert submission(classroom, number).counts
    assert [action for _, action in decisions(classroom)] == ["submission.restore", "submission.retract"]


def test_the_other_commits_of_the_repository_go_with_it_if_the_teacher_says_so(classroom, grace):
    older, chosen, elsewhere, of_bob = submit(
        classroom,
        push("ada", mean=100, sha="1" * 40),
        push("ada", mean=300, sha="2" * 40),
        push("ada", mean=50, sha="3" * 40, name="other"),
        push("bob", mean=100, sha="1" * 40),
    )

    decide(grace, chosen, "retract", reason="Copied.", others="yes")
    counting = [submission(classroom, number).counts for number in (older, chosen, elsewhere, of_bob)]
    with classroom.read() as connection:
        (entry,) = log.latest(connection, 9)
    decide(grace, older, "restore")

    assert counting == [False, False, True, True]
    assert submission(classroom, older).counts
    assert (entry.action, entry.details["submission"], entry.details["others"]) == ("submission.retract", chosen, 1)
    assert 'name="others" value="yes" checked' in grace.get(f"/agents/{elsewhere}").text


def test_without_the_tick_the_other_commits_stay(classroom, grace):
    older, chosen = submit(classroom, push("ada", sha="1" * 40), push("ada", sha="2" * 40))

    decide(grace, chosen, "retract", reason="Copied.")

    assert submission(classroom, older).counts


def test_what_waits_for_a_teacher_is_on_the_teachers_page_without_the_name(classroom, grace, ada, record, sign_in):
    helper = sign_in("helper")
    helper.send(f"/join/{invite(classroom, record, role='teacher')}", {})
    with classroom.write() as connection:
        people.change_privacy(connection, ada.person, pseudonym="Countess", is_public=False)
    (first,) = submit(classroom, push("ada"))
    before = grace.get("/teach").text
    decide(grace, first, "retract", reason="Copied.")
    *_, last = submit(classroom, *(push("ada", sha=f"{number:040}") for number in range(21)))

    page = grace.get("/teach").text
    decide(grace, last, "restore")

    assert "Waits for you" not in before
    assert "Waits for you: 21" in page
    assert page.count('<h3><a href="/agents/') == 20
    assert f'href="/agents/{last}"' in page
    assert "ada/invader" not in page
    assert "Waits for you: 20" in grace.get("/teach").text
    assert "Waits for you" not in helper.get("/teach").text


def test_teachers_of_the_site_read_what_they_decided_without_names_of_students(classroom, grace, ada, record):
    root = add_person(classroom, "root", "admin")
    (number,) = submit(classroom, push("ada"))
    grace.send(f"{BOARD}/freeze", {}, page=BOARD)
    decide(grace, number, "retract", reason="Copied.")
    with classroom.write() as connection:
        log.record(connection, root, "person.role", "ada", person=ada.person.id)
        log.record(connection, root, "certificate.revoke", "certificate of completion of ada", certificate="A-B")
        log.record(connection, root, "class.rename", "Another", class_id=record.id)

    page = grace.get("/teach/log").text

    assert f"froze the board {ASSIGNMENT}" in page
    assert f'<a href="/agents/{number}">retracted agent {number}</a>' in page
    assert "reason: Copied." in page
    assert "revoked the certificate of a student" in page
    assert not any(words in page for words in ("ada", "A-B", "Another", "person.role"))
    assert 'href="/teach/log"' in grace.get("/teach").text
    assert ada.get("/teach/log").status_code == 403


def test_the_log_of_teachers_is_read_a_page_at_a_time(classroom, grace):
    with classroom.write() as connection:
        for number in range(60):
            log.record(connection, grace.person, "board.freeze", f"board {number}")

    first = grace.get("/teach/log").text
    second = grace.get(first.partition('rel="next" href="')[2].partition('"')[0]).text

    assert ("board 10<" in first, "board 9<" in first) == (True, False)
    assert all(f"board {number}<" in second for number in range(10))


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_retraction_has_a_reason_that_can_be_read(classroom, grace, reason):
    (number,) = submit(classroom, push("ada"))

    assert decide(grace, number, "retract", reason=reason).status_code == 400
    assert submission(classroom, number).counts


def test_a_submission_whose_repository_is_gone_cannot_be_judged(classroom, grace):
    (number,) = submit(classroom, push("ada"))
    with classroom.write() as connection:
        submissions._change(connection, submissions.get(connection, number), gone_at=clock.now())

    assert decide(grace, number, "rejudge").status_code == 409


@pytest.mark.parametrize("what", ["rejudge", "retract", "restore"])
def test_students_decide_nothing_about_submissions(classroom, ada, what):
    (number,) = submit(classroom, push("bob"))
    token = form_token(ada.get("/units").text)

    answer = ada.browser.post(f"/teach/submissions/{number}/{what}", data={"form_token": token, "reason": "Mine!"})

    assert answer.status_code == 403
    assert decisions(classroom) == []


def test_a_submission_that_is_not_there_is_not_found(grace):
    assert decide(grace, 999, "rejudge").status_code == 404
