"""The API: the course, its lessons, and quizzes that are answered by a program."""

import pytest

from leaderboard_api import Program
from leaderboard_courses import OWN
from rl_leaderboard.progress import quizzes
from rl_units.course import load_course
from rl_units.lessons import render_lesson

PATH = f"/units/{OWN}"
QUESTIONS = {question.id: question for question in quizzes.quiz_of(load_course().unit(OWN)).questions}
ONE = "why-a-network"
SEVERAL = "replay-buffer"


@pytest.fixture
def ada(client, classroom):
    return Program.of(client, classroom, "ada")


def texts(name, *, correct):
    """The right or the wrong choices of a question, as the API names them."""
    return [" ".join(choice.text.split()) for choice in QUESTIONS[name].choices if choice.correct == correct]


def question(quiz, name):
    return next(one for one in quiz["questions"] if one["id"] == name)


def told(quiz, name):
    """Which choices of a question a program is told whether they are right."""
    choices = question(quiz, name)["choices"]
    assert all((choice["is_correct"] is None) == (choice["explanation"] is None) for choice in choices)
    return [choice["text"] for choice in choices if choice["is_correct"] is not None]


def answer(program, answers):
    answered = program.ask("POST", f"{PATH}/quiz", json={"answers": answers})
    assert answered.status_code == 200, answered.text
    return answered.json()


def kept(classroom, program):
    with classroom.read() as connection:
        return quizzes.latest_answers(connection, program.person.id, OWN)


def test_units_are_listed_in_the_order_of_the_course(client):
    units = client.get("/api/v1/units").json()["items"]

    assert [unit["id"] for unit in units] == [unit.id for unit in load_course().units]
    assert client.get("/api/v1/units/unit0").status_code == 404


def test_a_lesson_is_the_courses_text_with_its_numbers_in_it(client):
    unit = client.get(f"/api/v1{PATH}").json()

    assert unit["lesson"] == render_lesson(load_course().unit(OWN))
    assert "{{" not in unit["lesson"]
    assert unit["notebook_url"] == f"http://classroom.test{PATH}/notebook.ipynb"
    assert client.get(unit["notebook_url"]).status_code == 200


def test_a_quiz_that_nobody_has_answered_tells_nothing_of_what_is_right(client):
    answered = client.get(f"/api/v1{PATH}")

    quiz = answered.json()["quiz"]
    assert [one["id"] for one in quiz["questions"]] == list(QUESTIONS)
    assert question(quiz, SEVERAL)["has_several"]
    assert not question(quiz, ONE)["has_several"]
    for name, asked in QUESTIONS.items():
        assert told(quiz, name) == []
        assert (question(quiz, name)["outcome"], question(quiz, name)["attempts"]) == ("open", 0)
        assert [one["text"] for one in question(quiz, name)["choices"]] == [
            " ".join(choice.text.split()) for choice in asked.choices
        ]
        assert not any(" ".join(choice.explanation.split()) in answered.text for choice in asked.choices)


def test_an_answer_is_marked_and_kept_and_read_again(classroom, client, ada):
    quiz = answer(ada, {ONE: texts(ONE, correct=True), SEVERAL: texts(SEVERAL, correct=True)[:1]})

    assert question(quiz, ONE)["outcome"] == "right"
    assert question(quiz, SEVERAL)["outcome"] == "partly"
    assert kept(classroom, ada)[ONE].correct
    assert ada.get(PATH)["quiz"] == quiz
    assert question(client.get(f"/api/v1{PATH}").json()["quiz"], ONE)["outcome"] == "open"


def test_a_wrong_answer_tells_of_what_was_chosen_and_after_the_third_attempt_of_everything(ada):
    wrong = texts(ONE, correct=False)[:1]

    tellings = [told(answer(ada, {ONE: wrong}), ONE) for _ in range(3)]

    assert tellings[:2] == [wrong, wrong]
    assert len(tellings[2]) == len(QUESTIONS[ONE].choices)


def test_questions_that_are_left_out_stay_as_they_are(classroom, ada):
    answer(ada, {ONE: texts(ONE, correct=True)})
    quiz = answer(ada, {SEVERAL: texts(SEVERAL, correct=True)})

    assert (question(quiz, ONE)["outcome"], question(quiz, ONE)["attempts"]) == ("right", 1)
    assert {name: one.correct for name, one in kept(classroom, ada).items()} == {ONE: True, SEVERAL: True}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"answers": {}},
        {"answers": {ONE: []}},
        {"answers": {ONE: ["something else"]}},
        {"answers": {ONE: ["\0"]}},
        {"answers": {ONE: texts(ONE, correct=True) * 2}},
        {"answers": {ONE: texts(ONE, correct=True) + texts(ONE, correct=False)[:1]}},
        {"answers": {"no-such-question": ["x"]}},
        {"answers": {ONE: texts(ONE, correct=True), "x" * 101: ["x"]}},
        {"answers": {ONE: "x"}},
        {"answers": [], "more": 1},
        [],
    ],
)
def test_what_is_no_answer_is_refused_and_nothing_is_kept(classroom, ada, body):
    answered = ada.ask("POST", f"{PATH}/quiz", json=body)

    assert (answered.status_code, answered.json()["code"]) == (400, "bad_request")
    assert kept(classroom, ada) == {}


def test_a_refused_answer_takes_the_others_with_it(classroom, ada):
    body = {"answers": {SEVERAL: texts(SEVERAL, correct=True), ONE: ["something else"]}}

    assert ada.ask("POST", f"{PATH}/quiz", json=body).status_code == 400
    assert kept(classroom, ada) == {}


def test_a_unit_without_a_quiz_takes_no_answers(ada):
    body = {"answers": {ONE: texts(ONE, correct=True)}}

    assert ada.ask("POST", "/units/unit0/quiz", json=body).status_code == 404


def test_only_a_token_that_may_write_answers(classroom, client, sign_in):
    body = {"answers": {ONE: texts(ONE, correct=True)}}
    reader = Program.of(client, classroom, "ada", token_role="read")

    assert reader.ask("POST", f"{PATH}/quiz", json=body).status_code == 403
    assert client.post(f"/api/v1{PATH}/quiz", json=body).status_code == 401
    assert sign_in("ada").browser.post(f"/api/v1{PATH}/quiz", json=body).status_code == 401
    assert kept(classroom, reader) == {}


def test_answers_are_ones_own(classroom, client, ada):
    bob = Program.of(client, classroom, "bob")
    answer(ada, {ONE: texts(ONE, correct=True)})

    assert question(bob.get(PATH)["quiz"], ONE)["outcome"] == "open"
