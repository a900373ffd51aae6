"""Certificates: who gets one, what it says for good, and who may see it."""

import json
import re
import string
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pypdfium2 import PdfDocument

from leaderboard_agents import measure, push, submit
from leaderboard_classes import make_class
from leaderboard_courses import add_unit, copied_course, games
from leaderboard_people import add_person
from rl_hub import clock
from rl_leaderboard.activity import feed
from rl_leaderboard.audit import log
from rl_leaderboard.certificates import issuing
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.database import tables
from rl_leaderboard.errors import BadRequest, Conflict, NotFound, TooManyRequests
from rl_leaderboard.people import people
from rl_leaderboard.progress.progress import read_progress
from rl_leaderboard.settings import Settings
from rl_leaderboard.submissions import submissions
from rl_units.course import load_course

FORM = "/me/certificate"


@pytest.fixture
def classroom(settings, hub, tmp_path):
    """Five required assignments."""
    folder = tmp_path / "content"
    copied_course(folder)
    add_unit(folder, 4, title="Another <unit>", required=4)
    opened = Classroom.open(settings, course=load_course(folder), hub=hub)
    yield opened
    opened.close()


def pass_games(classroom, student, count=5, *, claimed_only=False):
    """Scores that pass as many of the required assignments; returns the submissions."""
    ids = []
    for number, game in enumerate(games(classroom.course)[:count]):
        ids += submit(classroom, push(student, env_id=game, sha=f"{number:040x}", mean=410, std=0))
        if not claimed_only:
            measure(classroom, ids[-1], [402.0, 402.0])
    return ids


def issue(classroom, person, name="Ada Lovelace"):
    with classroom.write() as connection:
        progress = read_progress(connection, classroom.course, person, certify_claims=classroom.settings.certify_claims)
        return issuing.issue(connection, person, progress, name=name, course=classroom.settings.course_name)


def found(classroom, code):
    with classroom.read() as connection:
        return issuing.find(connection, code)


def news(classroom):
    with classroom.read() as connection:
        return [activity for activity in feed.latest(connection, 50) if activity.kind == "certified"]


def words_of(pdf):
    with PdfDocument(pdf) as document:
        return document[0].get_textpage().get_text_range()


# Who gets one


@pytest.mark.parametrize(("passed", "level"), [(4, "completion"), (5, "excellence")])
def test_what_is_earned_is_issued(classroom, passed, level):
    ada = add_person(classroom, "ada")
    pass_games(classroom, "ada", passed)

    certificate = issue(classroom, ada)

    assert (certificate.level, certificate.name, certificate.course) == (level, "Ada Lovelace", "RL Classroom")
    assert [(a.score, a.is_verified) for a in certificate.assignments] == [(402.0, True)] * passed
    assert found(classroom, certificate.code) == certificate


def test_three_of_five_earn_nothing(classroom):
    ada = add_person(classroom, "ada")
    pass_games(classroom, "ada", 3)

    with pytest.raises(Conflict, match="1 more required assignment"):
        issue(classroom, ada)


def test_claims_earn_nothing_where_only_verified_scores_count(sign_in, classroom):
    ada = sign_in("ada")
    pass_games(classroom, "ada", claimed_only=True)
    answer = ada.browser.post(FORM, data={"form_token": token_of(ada), "name": "Ada"})

    assert answer.status_code == 409
    assert "5 wait for verification" in answer.text
    assert "<form class" not in ada.get(FORM).text


class TestWhereClaimsCount:
    @pytest.fixture
    def settings(self, tmp_path):
        return Settings(tmp_path / "classroom-data", certify_claims=True)

    def test_claims_are_certified_and_called_so(self, sign_in, client, classroom):
        ada = sign_in("ada")
        pass_games(classroom, "ada", claimed_only=True)
        code = issue(classroom, ada.person).code

        assert client.get(f"/certificates/{code}").text.count(">Claimed<") == 5
        assert "410.00 (claimed)" in words_of(client.get(f"/certificates/{code}.pdf").content)


def test_a_code_has_no_signs_that_look_alike_and_is_never_given_twice(classroom):
    codes = [issuing._new_code() for _ in range(500)]
    letters = set("".join(codes)) - {"-"}

    assert len(set(codes)) == 500
    assert all(re.fullmatch(r"[0-9A-Z]{5}(-[0-9A-Z]{5}){3}", code) for code in codes)
    assert letters <= set(string.ascii_uppercase + string.digits) - set("01ILO")
    assert len(letters) == 31


@pytest.mark.parametrize("typed", [str.lower, lambda code: code.replace("-", ""), lambda code: f"  {code} "])
def test_a_code_is_found_however_it_is_typed(classroom, typed):
    ada = add_person(classroom, "ada")
    pass_games(classroom, "ada")
    code = issue(classroom, ada).code

    assert found(classroom, typed(code)).code == code


@pytest.mark.parametrize(
    "code", ["", "x", "A" * 23, "AAAAA-AAAAA-AAAAA-AAAAA", "%", "'; --", "\0", "Ä" * 20, "2" * 9999]
)
def test_a_code_that_was_never_given_is_not_found(classroom, code):
    with pytest.raises(NotFound):
        found(classroom, code)


# Names


@pytest.mark.parametrize(
    ("typed", "printed"),
    [("  Ada \t Lovelace\n", "Ada Lovelace"), ("Zoe\u0308", "Zoë"), ("Владимир", "Владимир"), ("x" * 60, "x" * 60)],
)
def test_a_name_is_printed_on_one_line(typed, printed):
    assert issuing.checked_name(typed, None) == printed


@pytest.mark.parametrize(
    "typed", ["", "   ", "x" * 61, "Ada\N{RIGHT-TO-LEFT OVERRIDE}", "Ada\x07", "\N{ZERO WIDTH SPACE}"]
)
def test_a_name_that_cannot_be_read_is_refused(typed):
    with pytest.raises(BadRequest, match="1 to 60 printable"):
        issuing.checked_name(typed, None)


def test_letters_that_the_font_does_not_have_are_named(sign_in, classroom):
    ada = sign_in("ada")
    pass_games(classroom, "ada")
    answer = ada.send(FORM, {"name": "Ada 王小"})

    assert answer.status_code == 400
    assert "no sign for 王 小" in answer.text
    assert 'value="Ada 王小"' in answer.text
    assert "Issued to" not in ada.get(FORM).text


class TestWithABrokenFont:
    @pytest.fixture
    def settings(self, tmp_path):
        font = tmp_path / "broken.ttf"
        font.write_text("no font")
        return Settings(tmp_path / "classroom-data", certificate_font=font)

    def test_it_is_said_and_is_no_crash(self, sign_in, classroom):
        ada = sign_in("ada")
        pass_games(classroom, "ada")
        code = issue(classroom, ada.person).code

        assert ada.send(FORM, {"name": "Ada"}).status_code == 503
        assert ada.get(f"/certificates/{code}.png").status_code == 503


def test_a_name_of_markup_is_shown_as_text(sign_in, client, classroom):
    ada = sign_in("ada")
    pass_games(classroom, "ada")
    page = ada.send(FORM, {"name": '"><script>alert(1)</script>'}).text
    code = codes_on(page)[0]
    verification = client.get(f"/certificates/{code}").text

    assert "<script>alert" not in page + verification
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in verification
    assert "<script>alert(1)</script>" in words_of(client.get(f"/certificates/{code}.pdf").content)


# One valid certificate a level


def codes_on(page):
    return list(dict.fromkeys(re.findall(r"/certificates/([0-9A-Z-]{23})", page)))


def token_of(someone):
    """The token of somebody's forms, also where the page has none for them."""
    return re.search(r'name="form_token" value="([0-9a-f]{64})"', someone.get("/me").text)[1]


def test_a_new_name_takes_the_place_of_the_old_one(sign_in, client, classroom):
    ada = sign_in("ada")
    pass_games(classroom, "ada")
    first = codes_on(ada.send(FORM, {"name": "Ada King"}).text)
    second = codes_on(ada.send(FORM, {"name": "Ada Lovelace"}).text)
    old = client.get(f"/certificates/{first[0]}")

    assert len(first) == len(second) == 1
    assert first != second
    assert "No longer valid" in old.text
    assert "Ada King" not in old.text
    assert client.get(f"/certificates/{first[0]}.pdf").status_code == 404
    assert "Ada Lovelace" in client.get(f"/certificates/{second[0]}").text


def test_asking_twice_for_the_same_gives_the_same(classroom):
    ada = add_person(classroom, "ada")
    pass_games(classroom, "ada")

    assert issue(classroom, ada).code == issue(classroom, ada).code


def test_completion_stays_valid_beside_excellence(classroom):
    ada = add_person(classroom, "ada")
    pass_games(classroom, "ada", 4)
    completion = issue(classroom, ada)
    (last,) = submit(classroom, push("ada", env_id=games(classroom.course)[4], sha="9" * 40))
    measure(classroom, last)
    excellence = issue(classroom, ada)

    assert (completion.level, excellence.level) == ("completion", "excellence")
    assert found(classroom, completion.code).revoked_at is None


def test_twenty_requests_at_once_leave_one_valid_certificate(classroom):
    ada = add_person(classroom, "ada")
    pass_games(classroom, "ada")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: issue(classroom, ada, f"Ada {number}"), range(20)))
    with classroom.read() as connection:
        known = issuing.list_of_person(connection, ada.id)

    assert len(known) == 20
    assert sum(certificate.revoked_at is None for certificate in known) == 1


def test_more_than_twenty_certificates_a_day_are_refused(classroom):
    ada = add_person(classroom, "ada")
    pass_games(classroom, "ada")
    for number in range(issuing.MOST_A_DAY):
        issue(classroom, ada, f"Ada {number}")
    with pytest.raises(TooManyRequests):
        issue(classroom, ada, "Ada")
    with classroom.write() as connection:
        yesterday = clock.now() - timedelta(days=1, seconds=1)
        connection.execute(tables.certificates.update().values(issued_at=yesterday))

    assert issue(classroom, ada, "Ada").name == "Ada"


def test_what_it_says_is_fixed_on_the_day_of_issue(classroom):
    ada = add_person(classroom, "ada")
    ids = pass_games(classroom, "ada")
    certificate = issue(classroom, ada)
    with classroom.write() as connection:
        for number in ids:
            submissions.retract(connection, submissions.get(connection, number), "A mistake.")

    assert found(classroom, certificate.code) == certificate


# What teachers revoke


def revoke(teacher, code, reason="Somebody else's weights."):
    page = f"/certificates/{code}"
    return teacher.send(f"/teach/certificates/{code}/revoke", {"reason": reason}, page=page)


def decisions(classroom):
    with classroom.read() as connection:
        return [entry for entry in log.latest(connection, 50) if entry.action.startswith("certificate.")]


def test_a_teacher_revokes_a_certificate_and_its_owner_alone_is_told_why(sign_in, client, classroom):
    ada, grace = sign_in("ada"), sign_in("grace", role="teacher")
    pass_games(classroom, "ada")
    code = issue(classroom, ada.person, "Prof. Somebody Else").code

    shown = revoke(grace, code, " Not your\nname. ").text
    page, own = client.get(f"/certificates/{code}").text, ada.get(FORM).text

    assert "Not your name." in shown
    assert "Not your name." in own
    assert "<form class" not in own
    assert "revoked by a teacher" in page
    assert "Not your name." not in page
    assert "Somebody Else" not in page
    assert client.get(f"/certificates/{code}.pdf").status_code == 404
    assert client.get(f"/api/v1/certificates/{code}").json()["revoked_at"] is not None
    (entry,) = decisions(classroom)
    assert (entry.actor_name, entry.action) == ("grace", "certificate.revoke")
    assert entry.subject == "certificate of excellence of ada"
    assert entry.details == {"person": ada.person.id, "certificate": code, "reason": "Not your name."}


def test_after_that_none_is_issued_until_a_teacher_allows_it(sign_in, client, classroom):
    ada, grace = sign_in("ada"), sign_in("grace", role="teacher")
    pass_games(classroom, "ada")
    code = issue(classroom, ada.person, "Prof. Somebody Else").code
    revoke(grace, code)
    refused = ada.browser.post(FORM, data={"form_token": token_of(ada), "name": "Ada"})

    grace.send(f"/teach/certificates/{code}/allow", {}, page=f"/certificates/{code}")
    second = codes_on(ada.send(FORM, {"name": "Ada"}).text)

    assert refused.status_code == 409
    assert "A teacher revoked your certificate" in refused.text
    assert len(second) == 1
    assert "This certificate is genuine" in client.get(f"/certificates/{second[0]}").text
    assert "No longer valid" in client.get(f"/certificates/{code}").text
    assert [entry.action for entry in decisions(classroom)] == ["certificate.allow", "certificate.revoke"]


def test_what_is_not_valid_any_more_is_revoked_no_second_time(sign_in, classroom):
    ada, grace = sign_in("ada"), sign_in("grace", role="teacher")
    pass_games(classroom, "ada")
    code = issue(classroom, ada.person, "Ada King").code
    issue(classroom, ada.person, "Ada Lovelace")
    token = token_of(grace)

    grace.browser.post(f"/teach/certificates/{code}/revoke", data={"form_token": token, "reason": "Too late."})
    grace.browser.post(f"/teach/certificates/{code}/allow", data={"form_token": token})

    assert found(classroom, code).revocation == ""
    assert decisions(classroom) == []


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_revocation_has_a_reason_that_can_be_read(sign_in, classroom, reason):
    ada, grace = sign_in("ada"), sign_in("grace", role="teacher")
    pass_games(classroom, "ada")
    code = issue(classroom, ada.person).code

    assert revoke(grace, code, reason).status_code == 400
    assert found(classroom, code).revoked_at is None


def test_students_and_visitors_revoke_nothing(sign_in, client, classroom):
    ada, bob = sign_in("ada"), sign_in("bob")
    (number, *_) = pass_games(classroom, "ada")
    code = issue(classroom, ada.person).code
    addresses = [f"/teach/certificates/{code}/{what}" for what in ("revoke", "allow")]
    addresses.append(f"/teach/submissions/{number}/certificates")

    for address in addresses:
        form = {"form_token": token_of(bob), "reason": "Envy."}
        assert bob.browser.post(address, data=form).status_code == 403, address
        assert client.post(address, data={"reason": "Envy."}).status_code in (400, 403), address
    assert bob.get(addresses[-1]).status_code == 403
    assert "/teach/" not in bob.get(f"/certificates/{code}").text + client.get(f"/certificates/{code}").text
    assert found(classroom, code).revoked_at is None


def retract(teacher, number):
    form = {"reason": "Copied from Bob."}
    return teacher.send(f"/teach/submissions/{number}/retract", form, page="/teach", follow_redirects=False)


def test_a_retraction_offers_to_revoke_what_is_earned_no_longer(sign_in, client, classroom):
    ada, grace = sign_in("ada"), sign_in("grace", role="teacher")
    with classroom.write() as connection:
        people.change_privacy(connection, ada.person, pseudonym="Countess", is_public=False)
    fifth = pass_games(classroom, "ada")[-1]
    excellence = issue(classroom, ada.person).code
    offer = f"/teach/submissions/{fifth}/certificates"

    answer = retract(grace, fifth)
    page = grace.get(answer.headers["location"]).text
    grace.send(offer, {"reason": "Copied from Bob."})

    assert answer.headers["location"] == offer
    assert "Countess would not get" in page
    assert 'value="Copied from Bob."' in page
    # This teacher does not teach her, so need not know who she is.
    # As a word, because the form's token is random and may hold these letters.
    assert not re.search(rf"{excellence}|Lovelace|\bada\b", page)
    assert found(classroom, excellence).revocation == "Copied from Bob."
    assert [entry.action for entry in decisions(classroom)] == ["certificate.revoke"]
    assert "has no certificate that says more" in grace.get(offer).text


def test_a_retraction_offers_to_revoke_what_says_more_than_counts_now(sign_in, classroom):
    ada, grace = sign_in("ada"), sign_in("grace", role="teacher")
    better, *_ = pass_games(classroom, "ada", 4)
    measure(classroom, better, [520.9, 520.9], batch="2")
    (worse,) = submit(classroom, push("ada", env_id=games(classroom.course)[0], sha="9" * 40))
    measure(classroom, worse, [402.0, 402.0])
    completion = issue(classroom, ada.person)

    answer = retract(grace, better)

    assert completion.assignments[0].score == 520.9
    assert answer.headers["location"] == f"/teach/submissions/{better}/certificates"
    assert "Certificate of completion" in grace.get(answer.headers["location"]).text
    assert retract(grace, worse).headers["location"] == f"/teach/submissions/{worse}/certificates"


def test_a_retraction_of_what_a_certificate_does_not_speak_of_offers_nothing(sign_in, classroom):
    ada, grace = sign_in("ada"), sign_in("grace", role="teacher")
    pass_games(classroom, "ada", 4)
    issue(classroom, ada.person)
    (worse,) = submit(classroom, push("ada", env_id=games(classroom.course)[0], sha="9" * 40))
    measure(classroom, worse, [10.0, 10.0])

    assert retract(grace, worse).headers["location"] == f"/agents/{worse}"


def test_teachers_of_the_class_find_the_certificates_on_the_students_page(sign_in, classroom):
    ada, grace, hedy = sign_in("ada"), sign_in("grace", role="teacher"), sign_in("hedy", role="teacher")
    make_class(classroom, grace, ada)
    with classroom.write() as connection:
        people.change_privacy(connection, ada.person, pseudonym="", is_public=True)
    pass_games(classroom, "ada")
    code = issue(classroom, ada.person).code
    page = f"/students/{ada.person.id}"

    assert codes_on(grace.get(page).text) == [code]
    assert codes_on(hedy.get(page).text) == []
    revoke(grace, code)
    assert "Revoked" in grace.get(page).text


def test_a_retraction_offers_nothing_where_the_level_is_still_earned(sign_in, classroom):
    ada, grace = sign_in("ada"), sign_in("grace", role="teacher")
    first, *_ = pass_games(classroom, "ada", 4)
    completion = issue(classroom, ada.person).code
    (last,) = submit(classroom, push("ada", env_id=games(classroom.course)[4], sha="9" * 40))
    measure(classroom, last, [402.0, 402.0])

    assert retract(grace, last).headers["location"] == f"/agents/{last}"
    assert retract(grace, first).headers["location"] == f"/teach/submissions/{first}/certificates"
    assert found(classroom, completion).revoked_at is None


def test_a_certificate_goes_with_its_person(classroom):
    ada = add_person(classroom, "ada")
    pass_games(classroom, "ada")
    code = issue(classroom, ada).code
    with classroom.write() as connection:
        people.remove(connection, ada)

    with pytest.raises(NotFound):
        found(classroom, code)


# The news


@pytest.mark.parametrize(
    ("pseudonym", "is_public", "told"),
    [("", False, "A student"), ("Countess", False, "Countess"), ("Countess", True, "Countess"), ("", True, "ada")],
)
def test_the_news_names_only_whom_everybody_may_know(classroom, pseudonym, is_public, told):
    ada = add_person(classroom, "ada")
    with classroom.write() as connection:
        people.change_privacy(connection, ada, pseudonym=pseudonym, is_public=is_public)
        ada = people.get(connection, ada.id)
    pass_games(classroom, "ada")
    issue(classroom, ada)

    assert [activity.payload for activity in news(classroom)] == [{"student": told, "level": "excellence"}]


def test_a_corrected_name_is_no_news(classroom):
    ada = add_person(classroom, "ada")
    pass_games(classroom, "ada")
    issue(classroom, ada, "Ada")
    issue(classroom, ada, "Ada Lovelace")

    assert len(news(classroom)) == 1


# Who may see it


def test_only_somebody_signed_in_reaches_the_form(client):
    answer = client.get(FORM, follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fme%2Fcertificate")


def test_the_form_issues_ones_own_certificate_and_nobody_elses(sign_in, classroom):
    ada, bob = sign_in("ada"), sign_in("bob")
    pass_games(classroom, "ada")
    ada.send(FORM, {"name": "Ada"})
    form = {"form_token": token_of(bob), "name": "Bob", "person_id": ada.person.id}

    assert bob.browser.post(FORM, data=form).status_code == 409
    assert bob.browser.post(FORM, data={**form, "form_token": token_of(ada)}).status_code == 403
    assert codes_on(bob.get(FORM).text) == []
    with classroom.read() as connection:
        assert [certificate.name for certificate in issuing.list_of_person(connection, ada.person.id)] == ["Ada"]


def test_whoever_has_the_code_may_verify_and_download_it(sign_in, client, classroom):
    ada = sign_in("ada")
    pass_games(classroom, "ada", 4)
    code = issue(classroom, ada.person).code
    page = client.get(f"/certificates/{code}")
    pdf, png = client.get(f"/certificates/{code}.pdf"), client.get(f"/certificates/{code}.png")

    assert "This certificate is genuine" in page.text
    assert all(words in page.text for words in ("Ada Lovelace", "RL Classroom", "Completion", "402.00", ">Verified<"))
    assert "Another" not in page.text
    assert "/students/" not in page.text
    assert (pdf.headers["content-type"], png.headers["content-type"]) == ("application/pdf", "image/png")
    assert f"http://classroom.test/certificates/{code}" in words_of(pdf.content)
    assert png.content.startswith(b"\x89PNG")
    for answer in (page, pdf, png):
        assert answer.headers["x-robots-tag"] == "noindex"
        assert "private" in answer.headers["cache-control"]


@pytest.mark.parametrize("suffix", ["", ".pdf", ".png"])
@pytest.mark.parametrize("code", ["AAAAA-AAAAA-AAAAA-AAAAA", "<script>alert(1)", "%00", "x" * 3000])
def test_without_the_code_there_is_nothing(client, code, suffix):
    answer = client.get(f"/certificates/{code}{suffix}")

    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


def test_twenty_downloads_at_once_are_answered_and_so_is_a_page_meanwhile(sign_in, client, classroom):
    ada = sign_in("ada")
    pass_games(classroom, "ada")
    code = issue(classroom, ada.person).code
    with ThreadPoolExecutor(21) as pool:
        downloads = [pool.submit(client.get, f"/certificates/{code}.png") for _ in range(20)]
        page = pool.submit(client.get, f"/certificates/{code}")
        contents = {answer.result().content for answer in downloads}

    assert len(contents) == 1
    assert page.result().status_code == 200


def test_the_row_keeps_titles_and_scores_as_json(classroom):
    ada = add_person(classroom, "ada")
    pass_games(classroom, "ada", 4)
    issue(classroom, ada)
    with classroom.read() as connection:
        details = json.loads(connection.exec_driver_sql("SELECT details FROM certificates").scalar_one())

    assert details["assignments"][0] == {"title": "Space Invaders", "score": 402.0, "is_verified": True}
