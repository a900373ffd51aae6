"""Progress: what scores and answers amount to, and who sees it."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from leaderboard_agents import confirm, measure, push, submit
from leaderboard_courses import OWN, add_unit, copied_course, games
from leaderboard_people import Someone, add_person
from rl_hub import clock
from rl_leaderboard.boards import assignments
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.database import tables
from rl_leaderboard.people import people
from rl_leaderboard.progress import quizzes
from rl_leaderboard.progress.assessment import QuizProgress, Scores, assess, assess_one
from rl_leaderboard.progress.progress import read_progress
from rl_leaderboard.rules.certification import level
from rl_leaderboard.submissions import submissions, whereabouts
from rl_units.course import load_course

SCORE = st.none() | st.floats(-1e6, 1e6)
COURSE = load_course()
INVADERS, CHALLENGE = tuple(COURSE.assignments)[:2]


@pytest.fixture
def classroom(settings, hub, tmp_path):
    """Five required assignments: the course's own, and two in each of two more units."""
    folder = tmp_path / "content"
    copied_course(folder)
    add_unit(folder, 4, required=2)
    add_unit(folder, 5, required=2)
    opened = Classroom.open(settings, course=load_course(folder), hub=hub)
    yield opened
    opened.close()


def progress_of(classroom, person, *, certify_claims=False):
    with classroom.read() as connection:
        return read_progress(connection, classroom.course, person, certify_claims=certify_claims)


def one(classroom, person, assignment_id="space-invaders"):
    return next(found for found in progress_of(classroom, person).assignments if found.assignment.id == assignment_id)


def pass_games(classroom, student, count):
    """Verified scores that pass as many of the required assignments."""
    for number, game in enumerate(games(classroom.course)[:count]):
        (submission,) = submit(classroom, push(student, env_id=game, sha=f"{number:040x}"))
        measure(classroom, submission)


# What it amounts to


@given(SCORE, SCORE, st.booleans())
def test_an_assignment_is_passed_by_a_verified_score_and_by_a_claim_only_where_claims_count(verified, claimed, claims):
    found = assess_one(INVADERS, Scores(1, verified, claimed), certify_claims=claims)
    reaches = [score is not None and score >= INVADERS.threshold for score in (verified, claimed)]

    assert (found.state == "passed") == (reaches[0] or (claims and reaches[1]))
    assert (found.state == "waiting") == (not reaches[0] and reaches[1] and not claims)
    assert (found.passed_with is not None) == (found.state == "passed")
    if found.state == "passed":
        assert found.passed_with >= INVADERS.threshold
        assert found.is_verified == reaches[0]


@given(SCORE, SCORE)
def test_below_the_threshold_the_missing_points_lead_exactly_to_it(verified, claimed):
    found = assess_one(INVADERS, Scores(1, verified, claimed), certify_claims=False)

    assert (found.points is not None) == (found.state == "below")
    if found.points is not None:
        best = max(score for score in (verified, claimed) if score is not None)
        assert found.points > 0
        assert math.isclose(best + found.points, INVADERS.threshold, abs_tol=1e-6)


@given(SCORE, SCORE, st.booleans())
def test_an_open_challenge_is_passed_by_any_score_that_counts(verified, claimed, claims):
    found = assess_one(CHALLENGE, Scores(1, verified, claimed), certify_claims=claims)

    assert (found.state == "passed") == (verified is not None or (claims and claimed is not None))
    assert found.points is None


def test_what_was_never_handed_in_is_told_from_what_has_no_score():
    assert assess_one(INVADERS, Scores(), certify_claims=False).state == "missing"
    assert assess_one(INVADERS, Scores(1), certify_claims=False).state == "unscored"


@given(
    st.dictionaries(st.sampled_from([a.id for a in COURSE.assignments]), st.builds(Scores, st.just(1), SCORE, SCORE))
)
def test_the_level_counts_required_assignments_and_no_others(scores):
    progress = assess(COURSE, scores, {}, certify_claims=False)
    required = [found for found in progress.assignments if found.assignment.required]

    assert progress.required == len(required)
    assert progress.passed == sum(found.state == "passed" for found in required)
    assert progress.level == level(progress.passed, progress.required)
    assert (progress.next_step == "") == (progress.level == "excellence")


def test_a_unit_has_its_quiz_or_none():
    own = assess(COURSE, {}, {OWN: QuizProgress(10, 4, 3)}, certify_claims=False).units[0]

    assert (own.quiz.questions, own.quiz.right, own.quiz.right_at_once) == (10, 4, 3)
    assert assess(COURSE, {}, {}, certify_claims=False).units[0].quiz is None


@pytest.mark.parametrize(
    ("passed", "reached", "sentence"),
    [
        (0, "none", "4 more required assignments to pass for the certificate of completion."),
        (3, "none", "1 more required assignment to pass for the certificate of completion."),
        (4, "completion", "1 more required assignment to pass for the certificate of excellence."),
        (5, "excellence", ""),
    ],
)
def test_four_of_five_complete_the_course_and_all_are_excellence(classroom, passed, reached, sentence):
    ada = add_person(classroom, "ada")
    pass_games(classroom, "ada", passed)

    progress = progress_of(classroom, ada)

    assert (progress.level, progress.passed, progress.next_step) == (reached, passed, sentence)


def test_claims_that_would_pass_are_said_to_wait(classroom):
    ada = add_person(classroom, "ada")
    submit(classroom, push("ada"))

    assert progress_of(classroom, ada).next_step.endswith("completion. 1 waits for verification.")
    assert progress_of(classroom, ada, certify_claims=True).passed == 1


# What is read


def test_the_best_verified_and_the_best_waiting_claim_are_found(classroom):
    ada = add_person(classroom, "ada")
    good, poor, _, _ = submit(
        classroom,
        push("ada", mean=900, std=0, sha="1" * 40),
        push("ada", mean=800, std=0, sha="2" * 40),
        push("ada", mean=150, std=0, sha="3" * 40),
        push("ada", mean=100, std=0, sha="4" * 40),
    )
    measure(classroom, good, [210.0, 210.0])
    measure(classroom, poor, [20.0, 20.0])

    scores = one(classroom, ada).scores

    assert (scores.submissions, scores.verified, scores.claimed, scores.counted_id) == (4, 210.0, 150.0, good)


def test_the_best_is_what_counts_most_for_a_certificate_with_both_of_its_scores(classroom, sign_in):
    ada = add_person(classroom, "ada")
    lucky, steady = submit(classroom, push("ada", sha="1" * 40), push("ada", sha="2" * 40))
    measure(classroom, lucky, [300.0] * 2, batch="1/ranking-1", agent_sha256="a" * 64)
    confirm(classroom, lucky, 190.0, agent_sha256="a" * 64)
    measure(classroom, steady, [250.0] * 2, batch="1/ranking-1", agent_sha256="b" * 64)
    confirm(classroom, steady, 240.0, agent_sha256="b" * 64)

    scores = one(classroom, ada).scores

    assert (scores.verified, scores.on_board, scores.confirmed, scores.counted_id) == (240.0, 250.0, 240.0, lucky)
    page = sign_in("ada").get("/me").text
    assert '<td class="number">250.00</td>' in page
    assert '<td class="number">240.00</td>' in page
    assert "the lower of the two counts for a certificate" in page


def test_a_claim_that_the_judge_could_not_measure_waits_for_nothing(classroom):
    ada = add_person(classroom, "ada")
    (number,) = submit(classroom, push("ada", mean=900, std=0))
    with classroom.write() as connection:
        submissions.fail(connection, submissions.get(connection, number), "The file is broken.")

    assert one(classroom, ada).state == "unscored"


@pytest.mark.parametrize("reason", ["retracted", "gone", "over the quota"])
def test_what_does_not_count_on_the_board_does_not_count_here(classroom, reason):
    ada = add_person(classroom, "ada")
    if reason == "over the quota":
        with classroom.write() as connection:
            assignments.change(connection, "space-invaders", counting="best", quota_per_day=1)
    ids = submit(classroom, push("ada", mean=100, std=0, sha="1" * 40), push("ada", name="better", sha="2" * 40))
    measure(classroom, ids[1])
    with classroom.write() as connection:
        if reason == "retracted":
            submissions.retract(connection, submissions.get(connection, ids[1]), "Not your own work.")
        elif reason == "gone":
            whereabouts.forget(connection, "hub", "ada/better")

    assert one(classroom, ada).state == "below"


def test_scores_of_an_earlier_protocol_pass_nothing(classroom):
    ada = add_person(classroom, "ada")
    (number,) = submit(classroom, push("ada", mean=100, std=0))
    measure(classroom, number, version=99)

    assert one(classroom, ada).state == "below"


def test_submissions_of_the_same_name_on_another_hub_are_somebody_elses(classroom):
    ada = add_person(classroom, "ada")
    (number,) = submit(classroom, push("ada", source="huggingface.co"))
    measure(classroom, number)

    assert one(classroom, ada).state == "missing"


def test_a_question_counts_as_right_at_any_attempt_and_at_once_at_the_first_only(classroom):
    ada, bob = add_person(classroom, "ada"), add_person(classroom, "bob")
    first, second, third = (question.id for question in quizzes.quiz_of(COURSE.unit(OWN)).questions[:3])
    with classroom.write() as connection:
        for question, correct in [(first, True), (first, False), (second, False), (second, True), (third, False)]:
            quizzes.record(connection, ada.id, OWN, question, ["x"], correct)
        quizzes.record(connection, ada.id, OWN, "a question of last year", ["x"], True)

    assert progress_of(classroom, ada).units[0].quiz == QuizProgress(10, 2, 1)
    assert progress_of(classroom, bob).units[0].quiz == QuizProgress(10, 0, 0)


# Pages


def test_ones_own_page_says_what_is_missing_and_leads_to_the_agent(sign_in, classroom):
    ada = sign_in("ada")
    (number,) = submit(classroom, push("ada", mean=190, std=12.5))

    page = ada.get("/me").text

    assert "22.50 points missing" in page
    assert f'href="/agents/{number}"' in page
    assert "0 of 5 required assignments passed" in page
    assert "0 of 10 right" in page


def test_without_an_account_ones_own_page_leads_to_signing_in(client):
    answer = client.get("/me", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fme")


def test_a_private_page_and_none_look_alike_to_others(sign_in, client):
    ada, bob = sign_in("ada"), sign_in("bob")
    private, none = (bob.get(f"/students/{number}") for number in (ada.person.id, 10**6))

    assert private.status_code == none.status_code == 404
    assert private.text.replace(f"students/{ada.person.id}", "students/1000000") == none.text
    assert client.get(f"/students/{ada.person.id}").status_code == 404
    assert ada.get(f"/students/{ada.person.id}").status_code == 200


@pytest.mark.parametrize("number", ["0", "-1", "9" * 30, "x", "1;--"])
def test_a_number_that_no_person_has_is_refused(client, number):
    assert client.get(f"/students/{number}").status_code in (400, 404)


def join(classroom, class_name, **roles):
    """A class with people in their roles; made of rows, because classes have rules of their own."""
    with classroom.write() as connection:
        now = clock.now()
        row = {"name": class_name, "created_at": now}
        statement = tables.classes.insert().values(row).returning(tables.classes.c.id)
        number = connection.execute(statement).scalar_one()
        for name, role in roles.items():
            person = people.find(connection, "hub", name)
            values = {"class_id": number, "person_id": person.id, "role": role, "joined_at": now}
            connection.execute(tables.members.insert().values(values))


def test_a_private_page_is_seen_by_the_teachers_of_ones_own_class_only(sign_in, classroom):
    ada, grace, other, mate = (sign_in(name) for name in ("ada", "grace", "other", "mate"))
    site_teacher, admin = sign_in("hopper", role="teacher"), sign_in("root", role="admin")
    join(classroom, "Hers", ada="student", mate="student", grace="teacher")
    join(classroom, "Another", other="teacher")
    path = f"/students/{ada.person.id}"

    seen = {someone.person.name: someone.get(path).status_code for someone in (grace, other, mate, site_teacher, admin)}

    assert seen == {"grace": 200, "other": 404, "mate": 404, "hopper": 404, "root": 200}
    assert ada.get(f"/students/{grace.person.id}").status_code == 404


def test_behind_a_pseudonym_others_find_no_name(sign_in, client, classroom):
    ada, grace = sign_in("ada"), sign_in("grace")
    join(classroom, "Hers", ada="student", grace="teacher")
    submit(classroom, push("ada"))
    with classroom.write() as connection:
        people.change_privacy(connection, ada.person, pseudonym="Countess", is_public=True)
    path = f"/students/{ada.person.id}"

    assert "Countess" in client.get(path).text
    assert re.search(r"\bada\b", client.get(path).text) is None
    assert "ada/invader" in ada.get("/me").text
    assert "ada/invader" in grace.get(path).text
    assert "known to others as Countess" in grace.get(path).text


def test_others_are_not_told_what_was_retracted_or_why_something_failed(sign_in, client, classroom):
    ada = sign_in("ada")
    taken, broken = submit(classroom, push("ada", name="taken", sha="1" * 40), push("ada", name="broken", sha="2" * 40))
    with classroom.write() as connection:
        submissions.retract(connection, submissions.get(connection, taken), "Copied from Bob.")
        submissions.fail(connection, submissions.get(connection, broken), "The weights are empty.")
        people.change_privacy(connection, ada.person, pseudonym="", is_public=True)

    own, public = ada.get("/me").text, client.get(f"/students/{ada.person.id}").text

    assert "Copied from Bob." in own
    assert "The weights are empty." in own
    assert "taken" not in public
    assert "weights are empty" not in public
    assert "ada/broken" in public


def test_the_history_comes_a_page_at_a_time_with_every_submission_once(sign_in, classroom):
    ada = sign_in("ada")
    ids = submit(classroom, *(push("ada", sha=f"{number:040x}") for number in range(50)))
    seen, path, sizes = [], "/me", []
    while path:
        page = ada.get(path).text
        shown = [int(number) for number in re.findall(r'<th scope="row"><a href="/agents/(\d+)"', page)]
        seen += shown
        sizes.append(len(shown))
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = following and following[1]

    assert seen == ids[::-1]
    assert sizes == [20, 20, 10]


def test_hostile_names_are_shown_as_text(sign_in, classroom):
    mallory = sign_in("<script>alert(1)<b>")
    submit(classroom, push("<script>alert(1)<b>", name="\N{RIGHT-TO-LEFT OVERRIDE}<img onerror=x>"))
    with classroom.write() as connection:
        connection.execute(tables.submissions.insert().values(_hostile_row()))

    page = mallory.get("/me").text

    assert "<script>alert" not in page
    assert "<img onerror" not in page
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in page
    assert r"\u202e" in page


def _hostile_row():
    now = clock.now()
    return {
        "source": "hub",
        "repo_id": "x/\N{RIGHT-TO-LEFT OVERRIDE}<img onerror=x>",
        "repo_key": "x/y",
        "sha": "f" * 40,
        "assignment_id": "space-invaders",
        "env_id": "x",
        "student_name": "x",
        "student_key": "<script>alert(1)<b>",
        "algorithm": "",
        "library": "",
        "state": "failed",
        "reason": "<img onerror=x>",
        "submitted_at": now,
        "received_at": now,
    }


def test_a_page_asks_the_database_as_often_for_fifty_submissions_as_for_one(app, classroom):
    # Without the application's background tasks, which ask as well.
    ada, bob = (Someone.of(app, classroom, name) for name in ("ada", "bob"))
    submit(classroom, *(push("ada", sha=f"{number:040x}") for number in range(50)), push("bob"))
    asked = []

    def count(connection, cursor, statement, *_):
        asked[-1] += statement.startswith("SELECT")

    event.listen(classroom.database._reader, "before_cursor_execute", count)
    for someone in (bob, ada):
        asked.append(0)
        assert someone.get("/me").status_code == 200

    assert asked[0] == asked[1]
    assert 0 < asked[0] <= 6
