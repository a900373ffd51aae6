"""An agent's page: what is claimed, what was measured, who may see how much of it."""

import csv
import hashlib
import html
import io
import re
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from leaderboard_agents import ASSIGNMENT, confirm, measure, push, submit
from leaderboard_people import Someone, add_person
from rl_leaderboard.audit import log
from rl_leaderboard.boards import assignments
from rl_leaderboard.classes import members, records
from rl_leaderboard.people import people
from rl_leaderboard.submissions import submissions, whereabouts
from rl_leaderboard.web.app import create_app
from rl_leaderboard.web.pages.agent_facts import compare, end_sentence, list_figures, tell_state
from rl_leaderboard.web.pages.hub_links import hub_links

HUB = "http://hub.test"


@pytest.fixture
def app(classroom):
    """The classroom with the address of its Hub, so that pages can lead there."""
    return create_app(classroom, hub_url=HUB)


def text_of(answer):
    """What a page says, without its tags."""
    main = answer.text[answer.text.index("<main") : answer.text.index("</main>")]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())


def read(classroom, number):
    with classroom.read() as connection:
        return submissions.get(connection, number)


def take_pseudonym(classroom, name, pseudonym):
    person = add_person(classroom, name)
    with classroom.write() as connection:
        people.change_privacy(connection, person, pseudonym=pseudonym, is_public=False)


def retract(classroom, number, reason="Copied from the solution."):
    with classroom.write() as connection:
        submissions.retract(connection, submissions.get(connection, number), reason)


def let_students_declare(classroom):
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting="declared", quota_per_day=None)


def record_video(classroom, content=b"a video of ten kilobytes" * 400):
    """Puts a video among the classroom's files, as the judge does; returns its SHA-256."""
    digest = hashlib.sha256(content).hexdigest()
    classroom.files.mkdir(exist_ok=True)
    classroom.video(digest).write_bytes(content)
    return digest, content


# What is told


def test_a_claim_is_called_one(classroom, client):
    (number,) = submit(classroom, push("ada", mean=300, std=50))

    answer = client.get(f"/agents/{number}")
    told = text_of(answer)

    assert "invader by ada" in told
    assert "This score is what its author claims; it has not been verified." in told
    assert "250.00 Claimed" in told
    assert "Not verified yet" in told
    assert "Would pass if it were verified: 200.00 is needed." in told
    assert "Rank 1 on the board of Space Invaders" in told
    assert "<title>invader by ada" in answer.text


def test_an_evaluation_is_shown_with_everything_that_is_known_of_it(classroom, client):
    (number,) = submit(classroom, push("ada", mean=300, std=50, sha="5ba1" * 10))
    evaluation = measure(classroom, number, [300.0, 310.0, 290.0], interval=(280.0, 295.5))

    answer = client.get(f"/agents/{number}")
    told = text_of(answer)

    assert "This score is verified" in told
    assert "291.84 Verified" in told
    for fact in (
        "Interval of the score 280.00 to 295.50",
        "Mean ± std 300.00 ± 8.16",
        "Games 3",
        "Protocol space-invaders version 1, the current one",
        "Isolation A: namespaces",
        "Commit " + "5ba1" * 10,
        "Weights " + "f" * 64,
        "stable-baselines3 2.9.2",
        "ale-py 0.12.1",
        "1 300.00 1,000 the game",
        "3 290.00 1,002 the game",
    ):
        assert fact in told
    assert "The verified score is 41.84 above the claim; the claim is below the interval of the measurement." in told
    assert '<svg class="chart"' in answer.text
    assert f'href="/agents/{number}/evaluations/{evaluation}.csv"' in answer.text


@pytest.mark.parametrize(
    ("confirmed", "counted", "standing"),
    [
        (210.0, "210.00", "Passes: 200.00 is needed."),
        (320.0, "300.00", "Passes: 200.00 is needed."),
        (190.0, "190.00", "Passes on the board and not in the confirmation, so not for a certificate: 200.00 is"),
    ],
)
def test_the_page_says_with_both_numbers_which_score_a_certificate_counts(
    classroom, client, confirmed, counted, standing
):
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number, [300.0] * 2, batch="1/ranking-1")
    confirm(classroom, number, confirmed)

    told = text_of(client.get(f"/agents/{number}"))

    assert f"A certificate counts {counted}, the lower of two scores: 300.00 in the games of the board" in told
    assert f"and {confirmed:.2f} in the games of the confirmation" in told
    assert standing in told
    (evaluation,) = client.get(f"/api/v1/submissions/{number}").json()["evaluations"]
    assert evaluation["confirmation"] == confirmed


def test_an_evaluation_of_an_earlier_protocol_is_shown_and_does_not_count(classroom, client):
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number, version=7)

    told = text_of(client.get(f"/agents/{number}"))

    assert "Earlier protocol" in told
    assert re.search("version 7; today.s is 1, so it no longer counts", told)
    assert "250.00 Claimed" in told


def test_evaluations_stand_newest_first_and_only_one_counts(classroom, client):
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number, [100.0], batch="1")
    measure(classroom, number, [200.0], batch="2")

    headings = re.findall(r'<h3 id="evaluation-\d+">(.*?)</h3>', client.get(f"/agents/{number}").text, re.DOTALL)

    assert [heading.split()[0] for heading in headings] == ["200.00", "100.00"]
    assert ["Counts" in heading for heading in headings] == [True, False]


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("received", "This score is what its author claims; it has not been verified."),
        ("queued", "This agent waits for the judge, who plays 50 full games with it. Until then the score is what"),
        ("running", "The judge plays 50 full games with this agent now. Until then the score is what"),
        ("failed", "There is no verified score: The zip has no policy.pth."),
    ],
)
def test_every_state_has_its_sentence(classroom, state, sentence):
    (number,) = submit(classroom, push("ada"))
    submission = replace(read(classroom, number), state=state, reason="The zip has no policy.pth.")

    assert tell_state(submission, 50).startswith(sentence)


def test_what_is_off_the_board_waits_for_no_judge(classroom, sign_in):
    (number,) = submit(classroom, push("ada", mean=300, std=50))
    teacher, page = sign_in("hopper", role="teacher"), f"/agents/{number}"
    teacher.send(f"/teach/submissions/{number}/rejudge", {}, page=page)
    teacher.send(f"/teach/submissions/{number}/retract", {"reason": "cheated"}, page=page)

    told = text_of(teacher.get(page))

    assert "This agent is off the board" in told
    assert "waits for the judge" not in told
    assert "cheated. Only its student" in told
    assert "Not on the board. Would pass" in told


@pytest.mark.parametrize(("reason", "told"), [("cheated", "cheated."), ("Why? ", "Why?"), ("Copied.", "Copied.")])
def test_a_reason_ends_as_a_sentence_does(reason, told):
    assert end_sentence(reason) == told


def test_the_first_agent_for_a_frozen_board_is_told_that_it_is_frozen(classroom, client):
    with classroom.write() as connection:
        assignments.freeze(connection, ASSIGNMENT)
    first, second = submit(classroom, push("ada", sha="1" * 40), push("ada", sha="2" * 40))

    for number in (first, second):
        told = text_of(client.get(f"/agents/{number}"))
        assert "The board is frozen, so this submission is not on it yet." in told
        assert "Another submission" not in told


def test_who_claims_nothing_is_told_why(classroom, client):
    (number,) = submit(classroom, push("ada", mean=None))

    told = text_of(client.get(f"/agents/{number}"))

    assert "This agent has no score yet. The model card claims no score." in told


@pytest.mark.parametrize(
    ("returns", "interval", "sentence"),
    [
        ([250.0], (200.0, 300.0), "The verified score is what was claimed; the claim is within the interval"),
        ([240.0], (200.0, 300.0), "The verified score is 10.00 below the claim; the claim is within the interval"),
        ([100.0], (90.0, 110.0), "The verified score is 150.00 below the claim; the claim is above the interval"),
        ([300.0], (290.0, 310.0), "The verified score is 50.00 above the claim; the claim is below the interval"),
    ],
)
def test_the_difference_to_the_claim_is_said_in_words(classroom, client, returns, interval, sentence):
    (number,) = submit(classroom, push("ada", mean=300, std=50))
    measure(classroom, number, returns, interval=interval)

    assert sentence in text_of(client.get(f"/agents/{number}"))


def test_without_a_measurement_nothing_is_compared(classroom):
    (number,) = submit(classroom, push("ada", mean=300, std=50))
    submission = read(classroom, number)

    assert compare(submission, None) == ""
    assert [figure.name for figure in list_figures(submission, None)] == ["Score", "Mean return", "Standard deviation"]


def test_the_commits_of_the_repository_are_listed(classroom, client):
    old, new, other = submit(
        classroom,
        push("ada", sha="1" * 40, minutes_ago=9),
        push("ada", sha="2" * 40, minutes_ago=8, mean=400),
        push("ada", sha="3" * 40, name="another"),
    )

    answer = client.get(f"/agents/{old}")

    assert f'<a href="/agents/{new}"><code>2222222</code></a>' in answer.text
    assert f"/agents/{other}" not in answer.text
    assert "Another submission of the same student counts on the board." in text_of(answer)


def test_the_kept_page_of_an_agent_follows_it(classroom, client):
    (number,) = submit(classroom, push("ada"))
    before = client.get(f"/agents/{number}").text
    measure(classroom, number)

    assert "Not verified yet" in before
    assert "Not verified yet" not in client.get(f"/agents/{number}").text


@pytest.mark.parametrize("number", ["999", "0", "-1", "x", str(2**63), "1.0"])
def test_there_is_no_page_of_what_was_not_handed_in(client, number):
    assert client.get(f"/agents/{number}").status_code == 404


# Who may see what


def test_what_was_retracted_or_is_gone_is_for_its_student_and_teachers(classroom, client, sign_in):
    retracted, gone = submit(classroom, push("ada", sha="1" * 40), push("ada", name="other"))
    measure(classroom, retracted)
    retract(classroom, retracted)
    with classroom.write() as connection:
        whereabouts.forget(connection, "hub", "ada/other")
    ada, eve, teacher = sign_in("ada"), sign_in("eve"), sign_in("hopper", role="teacher")

    for number, sentence in ((retracted, "Copied from the solution."), (gone, "deleted or hidden")):
        for insider in (ada, teacher):
            assert sentence in text_of(insider.get(f"/agents/{number}"))
        for stranger in (client, eve):
            assert stranger.get(f"/agents/{number}").status_code == 404
    for stranger in (client, eve):
        assert stranger.get(f"/agents/{retracted}/evaluations/1.csv").status_code == 404
    assert ada.get(f"/agents/{retracted}/evaluations/1.csv").status_code == 200


def test_a_retracted_commit_is_not_in_the_list_that_others_see(classroom, client, sign_in):
    kept, retracted = submit(classroom, push("ada", sha="1" * 40), push("ada", sha="2" * 40))
    retract(classroom, retracted)

    assert f"/agents/{retracted}" not in client.get(f"/agents/{kept}").text
    assert f"/agents/{retracted}" in sign_in("ada").get(f"/agents/{kept}").text


def test_a_teacher_of_the_students_class_sees_what_others_do_not(classroom, sign_in):
    (number,) = submit(classroom, push("ada"))
    retract(classroom, number)
    mine, others, ada = sign_in("hopper"), sign_in("turing"), add_person(classroom, "ada")
    with classroom.write() as connection:
        made = records.create(connection, "Tuesdays", mine.person)
        records.create(connection, "Fridays", others.person)
        members.join(connection, made.id, ada.id, "student")

    assert mine.get(f"/agents/{number}").status_code == 200
    assert others.get(f"/agents/{number}").status_code == 404


def test_nothing_tells_strangers_the_name_behind_a_pseudonym(classroom, client, sign_in):
    sha, weights = "c0ffee" * 7, "beef" * 16
    (number,) = submit(classroom, push("ada", sha=sha, has_replay=True))
    measure(classroom, number, agent_sha256=weights, log="Loaded ada/invader.")
    take_pseudonym(classroom, "ada", "Countess")
    of_class, ada = sign_in("turing"), add_person(classroom, "ada")
    with classroom.write() as connection:
        made = records.create(connection, "Tuesdays", of_class.person)
        members.join(connection, made.id, ada.id, "student")

    for stranger in (client, sign_in("eve"), sign_in("hopper", role="teacher")):
        answer = stranger.get(f"/agents/{number}")
        assert f"Agent {number} by Countess" in text_of(answer)
        assert HUB + "/" not in answer.text
        assert not re.search(r"\bada\b", answer.text)
        for trace in ("invader<", "invader ", sha[:7], weights, "Commits of this repository"):
            assert trace not in answer.text.replace("Space Invaders", ""), "a Hub's search leads from it to the owner"
    for insider in (sign_in("ada"), of_class, sign_in("root", role="admin")):
        told = text_of(insider.get(f"/agents/{number}"))
        assert "invader by ada" in told
        assert "Others see Countess in place of the name." in told
        assert f'href="{HUB}/ada/invader"' in insider.get(f"/agents/{number}").text


def test_a_teacher_decides_about_agents_without_knowing_whose_they_are(classroom, sign_in):
    (number,) = submit(classroom, push("ada"))
    take_pseudonym(classroom, "ada", "Countess")
    retract(classroom, number)

    page = sign_in("hopper", role="teacher").get(f"/agents/{number}")

    assert "Copied from the solution." in text_of(page)
    assert "Put it back on the board" in page.text
    assert not re.search(r"\bada\b", page.text)


def test_a_log_is_for_the_student_and_teachers(classroom, client, sign_in):
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number, log="Loaded <the weights>.")

    assert "Loaded" not in client.get(f"/agents/{number}").text
    for insider in (sign_in("ada"), sign_in("hopper", role="teacher")):
        assert "Loaded &lt;the weights&gt;." in insider.get(f"/agents/{number}").text


def test_over_the_quota_is_said(classroom, client):
    with classroom.write() as connection:
        assignments.change(connection, ASSIGNMENT, counting="best", quota_per_day=1)
    _, number = submit(classroom, push("ada", sha="1" * 40), push("ada", sha="2" * 40))

    told = text_of(client.get(f"/agents/{number}"))

    assert "quota was used up, so it does not count" in told
    assert "Not on the board." in told


# Links to the Hub


def test_the_repository_its_commit_and_the_authors_video_are_linked(classroom, client):
    (number,) = submit(classroom, push("ada", sha="5ba1" * 10, has_replay=True))

    text = client.get(f"/agents/{number}").text

    assert f'href="{HUB}/ada/invader"' in text
    assert f'href="{HUB}/ada/invader/commit/{"5ba1" * 10}"' in text
    assert f'href="{HUB}/ada/invader/blob/{"5ba1" * 10}/replay.mp4"' in text
    assert "<video" not in text
    assert "load_from_hub --algo dqn --env SpaceInvadersNoFrameskip-v4 -orga ada -name invader" in text


def test_a_repository_of_another_hub_is_linked_there(classroom, client):
    remote, local = submit(
        classroom, push("ada", source="huggingface.co"), push("grace", source="http://hub.school.example:7870")
    )

    assert 'href="https://huggingface.co/ada/invader"' in client.get(f"/agents/{remote}").text
    assert 'href="http://hub.school.example:7870/grace/invader"' in client.get(f"/agents/{local}").text


def test_without_an_address_of_the_hub_there_is_no_link(classroom):
    (number,) = submit(classroom, push("ada"))

    answer = TestClient(create_app(classroom)).get(f"/agents/{number}")

    assert answer.status_code == 200
    assert "On the Hub" not in answer.text


@pytest.mark.parametrize("name", ["$(reboot)", "x; reboot", "`reboot`", "'; reboot; '"])
def test_no_name_becomes_a_command_in_somebodys_shell(classroom, name):
    (number,) = submit(classroom, replace(push("ada"), repo_id=f"ada/{name}"))

    links = hub_links(read(classroom, number), HUB)

    for snippet in links.snippets:
        if snippet.language == "bash":
            assert name not in re.sub(r"'(?:[^']|'\"'\"')*'", "", snippet.code)
    assert " " not in links.repository
    assert "'" not in links.repository


def test_an_algorithm_that_the_command_does_not_know_gets_no_such_command(classroom):
    (number,) = submit(classroom, replace(push("ada"), algorithm="Rainbow"))

    assert not any("load_from_hub" in snippet.code for snippet in hub_links(read(classroom, number), HUB).snippets)


# Videos


def test_the_judges_video_is_played_whole_or_a_part(classroom, client):
    digest, content = record_video(classroom)
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number, replay=digest)

    page = client.get(f"/agents/{number}").text
    whole = client.get(f"/files/{digest}.mp4")
    part = client.get(f"/files/{digest}.mp4", headers={"Range": "bytes=10-19"})

    assert f'<video controls preload="metadata" playsinline src="/files/{digest}.mp4"' in page
    assert whole.content == content
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["content-security-policy"].startswith("sandbox")
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert (part.status_code, part.content) == (206, content[10:20])


def test_a_video_is_as_visible_as_its_submission(classroom, client, sign_in):
    digest, content = record_video(classroom)
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number, replay=digest)
    retract(classroom, number)

    assert client.get(f"/files/{digest}.mp4").status_code == 404
    assert sign_in("ada").get(f"/files/{digest}.mp4").content == content


def test_a_video_that_a_visible_submission_shares_is_played(classroom, client):
    digest, _ = record_video(classroom)
    hidden, shown = submit(classroom, push("ada"), push("grace"))
    for number in (hidden, shown):
        measure(classroom, number, replay=digest)
    retract(classroom, hidden)

    assert client.get(f"/files/{digest}.mp4").status_code == 200


@pytest.mark.parametrize("name", ["0" * 64, "x", "..%2f..%2fsecret", "A" * 64])
def test_no_other_file_is_served(classroom, client, name):
    record_video(classroom)
    (classroom.settings.data / "secret.mp4").write_bytes(b"secret")

    assert client.get(f"/files/{name}.mp4").status_code == 404


def test_a_video_that_no_evaluation_names_or_that_is_lost_is_not_found(classroom, client):
    unnamed, _ = record_video(classroom)
    (number,) = submit(classroom, push("ada"))
    measure(classroom, number, replay="0" * 64)

    assert client.get(f"/files/{unnamed}.mp4").status_code == 404
    assert client.get(f"/files/{'0' * 64}.mp4").status_code == 404


# CSV


def test_every_game_can_be_downloaded(classroom, client):
    (number,) = submit(classroom, push("ada"))
    evaluation = measure(classroom, number, [-3.5, 310.0])

    answer = client.get(f"/agents/{number}/evaluations/{evaluation}.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    assert rows == [
        ["episode", "return", "length", "truncated"],
        ["1", "-3.5", "1000", "no"],
        ["2", "310.0", "1001", "no"],
    ]


def test_an_evaluation_belongs_to_its_submission(classroom, client):
    first, second = submit(classroom, push("ada"), push("grace"))
    evaluation = measure(classroom, first)

    assert client.get(f"/agents/{second}/evaluations/{evaluation}.csv").status_code == 404


@pytest.mark.parametrize("path", ["/agents/0", "/agents/99999999999999999999", "/classes/abc", "/students/abc"])
def test_nothing_is_at_an_address_with_a_key_that_none_can_have(client, path):
    answer = client.get(path)

    assert answer.status_code == 404
    assert "There is nothing at this address." in text_of(answer)


# What can be done


def test_a_student_lets_a_submission_count(classroom, sign_in):
    let_students_declare(classroom)
    old, _ = submit(classroom, push("ada", sha="1" * 40, minutes_ago=9), push("ada", sha="2" * 40))
    ada = sign_in("ada")
    before = text_of(ada.get(f"/agents/{old}"))

    answer = ada.send(f"/agents/{old}/declare", {}, page=f"/agents/{old}")

    assert "Another submission of the same student counts" in before
    assert "Let this one count" in before
    assert "Rank 1 on the board" in text_of(answer)
    assert "You declared" in text_of(answer)


def test_only_the_student_can_let_a_submission_count(classroom, client, sign_in):
    let_students_declare(classroom)
    (number,) = submit(classroom, push("ada"))
    eve = sign_in("eve")

    assert "Let this one count" not in eve.get(f"/agents/{number}").text
    assert eve.send(f"/agents/{number}/declare", {}, page="/boards").status_code == 403
    assert client.post(f"/agents/{number}/declare").status_code == 403
    assert read(classroom, number).declared_at is None


def test_a_form_from_elsewhere_declares_nothing(classroom, sign_in):
    let_students_declare(classroom)
    (number,) = submit(classroom, push("ada"))
    ada = sign_in("ada")

    assert ada.browser.post(f"/agents/{number}/declare", data={"form_token": "0" * 64}).status_code == 403
    foreign = {"Origin": "https://evil.example"}
    page = f"/agents/{number}"
    assert ada.send(f"{page}/declare", {}, page=page, headers=foreign).status_code == 403
    assert read(classroom, number).declared_at is None


def test_nothing_is_declared_where_the_best_counts_or_the_submission_cannot(classroom, sign_in):
    (number,) = submit(classroom, push("ada"))
    ada = sign_in("ada")
    assert "Let this one count" not in ada.get(f"/agents/{number}").text
    assert ada.send(f"/agents/{number}/declare", {}, page="/boards").status_code == 409
    let_students_declare(classroom)
    retract(classroom, number)

    assert "Let this one count" not in ada.get(f"/agents/{number}").text
    assert ada.send(f"/agents/{number}/declare", {}, page="/boards").status_code == 409


def test_what_comes_after_a_retraction_says_that_it_waits_and_a_teacher_lets_it_count(classroom, client, sign_in):
    (first,) = submit(classroom, push("ada"))
    teacher, ada = sign_in("hopper", role="teacher"), sign_in("ada")
    assert "hands in for this assignment later waits for a teacher" in teacher.get(f"/agents/{first}").text
    retract(classroom, first)
    (later,) = submit(classroom, push("ada", sha="b" * 40))
    page = f"/agents/{later}"

    assert "This submission is not on the board yet." in ada.get(page).text
    assert client.get(page).status_code == 404
    assert "Let it count" in teacher.get(page).text
    teacher.send(f"/teach/submissions/{later}/restore", {}, page=page)

    assert read(classroom, later).counts
    with classroom.read() as connection:
        assert log.latest(connection, 1)[0].details["later"] == "counts again"


def test_teachers_have_what_teachers_need(classroom, client, sign_in):
    (number,) = submit(classroom, push("ada"))
    teacher = sign_in("hopper", role="teacher")
    path, page = f"/teach/submissions/{number}", f"/agents/{number}"

    assert "/teach/" not in client.get(page).text.replace('href="/teach"', "")
    assert f'action="{path}/rejudge"' in teacher.get(page).text
    retracted = teacher.send(f"{path}/retract", {"reason": "<b>Copied</b>"}, page=page)
    assert "&lt;b&gt;Copied&lt;/b&gt;" in retracted.text
    assert f'action="{path}/retract"' not in retracted.text
    teacher.send(f"{path}/restore", {}, page=page)
    queued = teacher.send(f"{path}/rejudge", {}, page=page)
    assert "waits for the judge" in text_of(queued)


# Hostile text


def test_what_a_judge_writes_down_is_text(classroom, sign_in):
    (number,) = submit(classroom, push("ada"))
    script = "<script>alert(1)</script>"
    measure(classroom, number, log=script, isolation=script, agent_sha256=script)

    text = sign_in("ada").get(f"/agents/{number}").text

    assert script not in text
    assert text.count("&lt;script&gt;") == 3


def test_a_repository_whose_name_is_markup_is_text(classroom, client):
    name = '<img src=x onerror="alert(1)">'
    (number,) = submit(classroom, replace(push("ada"), repo_id=f"ada/{name}", sha='"><script>'))

    text = client.get(f"/agents/{number}").text

    assert "<img" not in text
    assert '"><script>' not in text
    assert "&lt;img src=x onerror=&#34;alert(1)&#34;&gt;" in text


def test_enormous_numbers_are_shown_and_drawn(classroom, client):
    (number,) = submit(classroom, push("ada", mean=1e12, std=0))
    measure(classroom, number, [1e12, -1e12], interval=(-1e12, 1e12))

    answer = client.get(f"/agents/{number}")

    assert answer.status_code == 200
    assert "\N{MINUS SIGN}1e+12" in answer.text


def test_a_student_without_a_source_owns_nothing(app, classroom):
    (number,) = submit(classroom, push("ada"))
    retract(classroom, number)
    someone = Someone.of(app, classroom, "ada")
    with classroom.write() as connection:
        people.welcome(connection, people.Arrival(people.HUB, "somebody else", "ada", people.HUB))

    assert someone.get(f"/agents/{number}").status_code == 404
