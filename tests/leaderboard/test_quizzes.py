"""Quizzes: what is right, what is told, and what is kept."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard_courses import OWN
from leaderboard_people import add_person, form_token
from rl_leaderboard.errors import BadRequest, Conflict
from rl_leaderboard.people import people
from rl_leaderboard.progress import quizzes
from rl_units.course import load_course
from rl_units.lessons import Choice, Question

PATH = f"/units/{OWN}/quiz"
UNIT = load_course().unit(OWN)
QUESTIONS = {question.id: question for question in quizzes.quiz_of(UNIT).questions}
ONE = QUESTIONS["why-a-network"]
SEVERAL = QUESTIONS["replay-buffer"]


def right(question):
    return [choice.text for choice in question.choices if choice.correct]


def wrong(question):
    return [choice.text for choice in question.choices if not choice.correct]


def answers(*pairs):
    return {f"answer-{question.id}": texts for question, texts in pairs}


def explanations(page, question):
    """Which of a question's choices are explained on a page."""
    text = html.unescape(re.sub(r"<[^>]+>", "", page))
    plain = [re.sub(r"[`*$]", "", choice.explanation) for choice in question.choices]
    return [explanation in text for explanation in plain]


def kept(classroom, someone):
    with classroom.read() as connection:
        return quizzes.latest_answers(connection, someone.person.id, OWN)


def questions_of(page):
    return dict(zip(QUESTIONS, re.findall(r"<fieldset.*?</fieldset>", page, re.DOTALL), strict=True))


@given(st.data())
def test_an_answer_is_right_exactly_if_it_names_every_right_choice_and_no_other(data):
    correct = data.draw(
        st.lists(st.booleans(), min_size=2, max_size=6).filter(lambda marks: 0 < sum(marks) < len(marks))
    )
    question = Question("q", "?", tuple(Choice(f"c{n}", mark, "because") for n, mark in enumerate(correct)))
    most = 1 if sum(correct) == 1 else len(correct)
    picked = data.draw(st.lists(st.sampled_from(range(len(correct))), min_size=1, max_size=most, unique=True))

    assert quizzes.is_correct(question, [f"c{n}" for n in picked]) == (
        {*picked} == {n for n, c in enumerate(correct) if c}
    )


@pytest.mark.parametrize("choices", [[], ["something else"], [*right(ONE), *wrong(ONE)[:1]], right(ONE) * 2])
def test_what_the_quiz_does_not_offer_is_no_answer(choices):
    with pytest.raises(BadRequest):
        quizzes.is_correct(ONE, choices)


def test_the_quiz_has_a_group_with_a_legend_for_each_question(client):
    page = client.get(PATH).text

    assert page.count("<fieldset") == page.count("<legend>") == len(QUESTIONS)
    assert questions_of(page)[ONE.id].count('type="radio"') == len(ONE.choices)
    assert questions_of(page)[SEVERAL.id].count('type="checkbox"') == len(SEVERAL.choices)
    assert not any(explanations(page, question)[0] for question in QUESTIONS.values())


def test_somebody_who_is_not_signed_in_is_told_that_nothing_is_stored(client, classroom):
    page = client.get(PATH).text
    form = {"form_token": form_token(page), **answers((ONE, right(ONE)), (SEVERAL, right(SEVERAL)[:1]))}
    answer = client.post(PATH, data=form)

    assert "nothing is stored" in page
    assert answer.status_code == 200
    assert "1 of 10 right" in answer.text
    assert "something is missing" in answer.text
    with classroom.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM quiz_answers").scalar() == 0


def test_right_answers_of_a_stranger_are_carried_to_the_next_attempt(client):
    page = client.get(PATH).text
    page = client.post(PATH, data={"form_token": form_token(page), **answers((ONE, right(ONE)))}).text
    carried = re.findall(r'<input type="hidden" name="answer-([^"]+)" value="([^"]*)">', page)

    assert [(name, html.unescape(value)) for name, value in carried] == [(ONE.id, right(ONE)[0])]


def test_every_attempt_of_somebody_signed_in_is_kept_and_the_page_shows_the_last(sign_in, classroom):
    ada = sign_in("ada")
    ada.send(PATH, answers((ONE, wrong(ONE)[:1])))
    answer = ada.send(PATH, answers((ONE, right(ONE)), (SEVERAL, wrong(SEVERAL)[:1])))

    assert answer.history[0].status_code == 303
    assert (kept(classroom, ada)[ONE.id].attempt, kept(classroom, ada)[ONE.id].correct) == (2, True)
    assert kept(classroom, ada)[SEVERAL.id].choices == tuple(wrong(SEVERAL)[:1])
    assert "1 of 10 right" in ada.get(PATH).text
    assert "disabled" in questions_of(ada.get(PATH).text)[ONE.id]
    assert "disabled" not in ada.get(f"{PATH}?again=1").text


def test_after_an_answer_the_chosen_is_explained_and_after_a_right_one_everything(sign_in):
    ada = sign_in("ada")
    picked = [choice.text in wrong(ONE)[:1] for choice in ONE.choices]

    assert explanations(ada.send(PATH, answers((ONE, wrong(ONE)[:1]))).text, ONE) == picked
    assert all(explanations(ada.send(PATH, answers((ONE, right(ONE)))).text, ONE))


def test_after_the_third_attempt_everything_is_explained(sign_in):
    ada = sign_in("ada")
    told = [all(explanations(ada.send(PATH, answers((ONE, wrong(ONE)[:1]))).text, ONE)) for _ in range(3)]

    assert told == [False, False, True]
    assert "disabled" not in questions_of(ada.get(PATH).text)[ONE.id]


def test_an_empty_sheet_is_sent_back_with_a_sentence(sign_in, classroom):
    ada = sign_in("ada")
    answer = ada.send(PATH, {})

    assert answer.status_code == 400
    assert "answer at least one question" in answer.text
    assert kept(classroom, ada) == {}


@pytest.mark.parametrize(
    "texts", [["something else"], ["<script>alert(1)</script>"], ["\0"], right(ONE) + wrong(ONE)[:1]]
)
def test_an_answer_that_the_quiz_does_not_offer_is_refused_and_nothing_is_kept(sign_in, classroom, texts):
    ada = sign_in("ada")
    answer = ada.send(PATH, answers((SEVERAL, right(SEVERAL)), (ONE, texts)))

    assert answer.status_code == 400
    assert "<script>alert" not in answer.text
    assert kept(classroom, ada) == {}


@pytest.mark.parametrize("token", ["", "0" * 64])
def test_an_answer_without_the_pages_token_is_refused(sign_in, classroom, token):
    ada = sign_in("ada")
    answer = ada.browser.post(PATH, data={"form_token": token, **answers((ONE, right(ONE)))})

    assert answer.status_code == 403
    assert kept(classroom, ada) == {}


def test_answers_are_ones_own(sign_in, classroom):
    ada, bob = sign_in("ada"), sign_in("bob")
    ada.send(PATH, {"person_id": bob.person.id, **answers((ONE, right(ONE)))})

    assert kept(classroom, bob) == {}
    assert "of 10 right" not in bob.get(PATH).text


def test_a_question_is_kept_a_hundred_times_and_no_more(sign_in, classroom):
    ada = sign_in("ada")
    with classroom.write() as connection:
        numbers = [
            quizzes.record(connection, ada.person.id, OWN, ONE.id, wrong(ONE)[:1], False)
            for _ in range(quizzes.MOST_ATTEMPTS)
        ]
    with classroom.write() as connection, pytest.raises(Conflict):
        quizzes.record(connection, ada.person.id, OWN, ONE.id, right(ONE), True)
    answer = ada.send(f"{PATH}", answers((ONE, right(ONE)), (SEVERAL, right(SEVERAL))), page=f"{PATH}?again=1")

    assert numbers == list(range(1, 101))
    assert answer.status_code == 200
    assert not kept(classroom, ada)[ONE.id].correct
    assert kept(classroom, ada)[SEVERAL.id].correct


def test_an_answer_to_a_choice_that_is_gone_counts_as_none(sign_in, classroom):
    ada = sign_in("ada")
    with classroom.write() as connection:
        quizzes.record(connection, ada.person.id, OWN, ONE.id, ["a choice of last year"], True)

    assert 'class="verdict' not in questions_of(ada.get(PATH).text)[ONE.id]
    assert "of 10 right" not in ada.get(PATH).text


def test_answers_go_when_their_person_goes(classroom):
    person = add_person(classroom, "ada")
    with classroom.write() as connection:
        quizzes.record(connection, person.id, OWN, ONE.id, right(ONE), True)
        people.remove(connection, person)

    with classroom.read() as connection:
        assert quizzes.latest_answers(connection, person.id, OWN) == {}
