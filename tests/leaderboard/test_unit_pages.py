"""Units: the course, its lessons with their pictures, and the notebooks."""

import json
import re
from urllib.parse import urljoin

import pytest

from leaderboard_agents import measure, push, submit
from leaderboard_courses import OWN, add_unit, copied_course
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.lessons.material import colab_address, lesson_of
from rl_leaderboard.settings import Settings
from rl_units.course import load_course
from rl_units.errors import ManifestError

LESSON = f"/units/{OWN}"


@pytest.fixture
def content(tmp_path):
    """A course of three units: one before and one after the course's own."""
    folder = tmp_path / "content"
    copied_course(folder)
    add_unit(folder, 1, title="Before <it>")
    add_unit(folder, 4, title="After it", notebook="not_installed")
    return folder


@pytest.fixture
def classroom(settings, hub, content):
    opened = Classroom.open(settings, course=load_course(content), hub=hub)
    yield opened
    opened.close()


def test_the_course_lists_its_units_in_order_with_what_passes(client):
    page = client.get("/units").text

    assert re.findall(r"Unit (\d)</p>", page) == ["1", "3", "4"]
    assert "Before &lt;it&gt;" in page
    assert "passes at 200.00" in page
    assert "open challenge" in page


def test_somebody_signed_in_sees_their_own_state_beside_each_assignment(sign_in, classroom):
    ada = sign_in("ada")
    (passed,) = submit(classroom, push("ada", env_id="Game-1-1"))
    measure(classroom, passed, [300.0, 300.0])
    submit(classroom, push("ada", mean=190, std=12.5))

    page = ada.get("/units").text

    assert ">Passed<" in page
    assert "22.50 points missing" in page
    assert "Not handed in" in page
    assert "Passed" not in sign_in("bob").get("/units").text


def test_a_lesson_is_shown_with_formulas_code_tables_and_contents(client):
    page = client.get(LESSON).text

    assert page.count("<h1>") == 1
    assert "<h1>Deep Q-Learning on Atari</h1>" in page
    assert "<math" in page
    assert '<th scope="col">setting</th>' in page
    assert '<a href="#the-q-network">The Q-network</a>' in page
    assert 'id="the-q-network"' in page
    assert "{{" not in page
    assert "code.css" in page


def test_every_picture_of_a_lesson_can_be_loaded_and_kept(client):
    addresses = re.findall(r'<img src="([^"]+)"', client.get(LESSON).text)

    assert len(addresses) == 5
    for address in addresses:
        answer = client.get(urljoin(LESSON, address.replace("&amp;", "&")))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert "immutable" in answer.headers["cache-control"]
        assert answer.content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "name",
    [
        "missing.png",
        "..%2Funit.toml",
        "%2e%2e%2funit.toml",
        "..%5Cunit.toml",
        "%2Fetc%2Fpasswd",
        "notes.txt",
        "deeper.png",
    ],
)
def test_only_pictures_in_the_folder_are_handed_out(client, content, name):
    pictures = content / OWN / "pictures"
    pictures.joinpath("notes.txt").write_text("for the teacher")
    pictures.joinpath("deeper.png").mkdir()

    assert client.get(f"{LESSON}/pictures/{name}").status_code == 404


@pytest.mark.parametrize("path", ["", "/quiz", "/notebook.ipynb", "/pictures/stack.png"])
@pytest.mark.parametrize("unit", ["unit9", "%2e%2e", "<script>alert(1)", "x" * 3000])
def test_a_unit_that_the_course_does_not_have_is_not_found(client, unit, path):
    answer = client.get(f"/units/{unit}{path}")

    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


def test_units_lead_to_their_neighbours(client):
    first, middle, last = (client.get(f"/units/{unit}").text for unit in ("unit1_other", OWN, "unit4_other"))

    assert 'rel="prev"' not in first
    assert f'rel="next" href="{LESSON}"' in first
    assert 'rel="prev" href="/units/unit1_other"' in middle
    assert 'rel="next" href="/units/unit4_other"' in middle
    assert 'rel="next"' not in last


def test_links_in_a_lesson_lead_to_other_lessons_and_into_the_unit(content):
    unit = content / OWN
    unit.joinpath("lesson.md").write_text(
        "# It\n[next](../unit4_other/lesson.md#how) [book](notebook.ipynb) [away](https://example.org/) [here](#it)"
    )

    html = lesson_of(load_course(content).unit(OWN)).html

    assert 'href="/units/unit4_other#how"' in html
    assert f'href="{LESSON}/notebook.ipynb"' in html
    assert 'href="https://example.org/"' in html
    assert 'href="#it"' in html


def test_a_unit_without_a_lesson_or_quiz_still_has_its_assignments(client, content):
    content.joinpath("unit4_other", "lesson.md").unlink()
    content.joinpath("unit4_other", "quiz.toml").unlink()

    page = client.get("/units/unit4_other")

    assert page.status_code == 200
    assert "No lesson yet" in page.text
    assert "Game 4.1" in page.text
    assert "/quiz" not in page.text
    assert client.get("/units/unit4_other/quiz").status_code == 404
    assert client.get("/units").status_code == 200


def test_a_lesson_that_asks_for_an_unknown_value_is_told_to_the_operator(content):
    content.joinpath(OWN, "lesson.md").write_text("{{ thresold }}")

    with pytest.raises(ManifestError, match="thresold"):
        lesson_of(load_course(content).unit(OWN))


def test_the_notebook_is_downloaded_under_its_own_name(client):
    answer = client.get(f"{LESSON}/notebook.ipynb")

    assert answer.headers["content-disposition"] == 'attachment; filename="unit3_dqn_space_invaders.ipynb"'
    assert json.loads(answer.content)["nbformat"] == 4


def test_a_notebook_beside_its_unit_comes_first(client, content):
    content.joinpath(OWN, "unit3_dqn_space_invaders.ipynb").write_text('{"nbformat": 4, "cells": []}')

    assert client.get(f"{LESSON}/notebook.ipynb").json()["cells"] == []


def test_a_unit_whose_notebook_is_not_installed_has_no_link_to_it(client):
    assert "notebook.ipynb" in client.get(LESSON).text
    assert "notebook.ipynb" not in client.get("/units/unit4_other").text
    assert client.get("/units/unit4_other/notebook.ipynb").status_code == 404


@pytest.mark.parametrize(
    ("folder", "address"),
    [
        (
            "https://github.com/me/course/tree/main/notebooks",
            "https://colab.research.google.com/github/me/course/blob/main/notebooks/unit3_dqn_space_invaders.ipynb",
        ),
        (
            "https://github.com/me/course/tree/main",
            "https://colab.research.google.com/github/me/course/blob/main/unit3_dqn_space_invaders.ipynb",
        ),
        ("https://github.com/me/course", None),
        ("https://example.org/me/course/tree/main/notebooks", None),
        ("https://github.com.example.org/me/course/tree/main/notebooks", None),
        (None, None),
    ],
)
def test_colab_opens_the_notebook_from_github(folder, address):
    assert colab_address(folder, load_course().unit(OWN)) == address


class TestWithNotebooksOnGithub:
    @pytest.fixture
    def settings(self, tmp_path):
        return Settings(tmp_path / "classroom-data", notebooks_url="https://github.com/me/course/tree/main/notebooks")

    def test_the_lesson_has_a_link_that_opens_colab(self, client):
        assert 'href="https://colab.research.google.com/github/me/course/blob/main/' in client.get(LESSON).text


def test_without_a_notebooks_address_there_is_no_link_to_colab(client):
    assert "colab" not in client.get(LESSON).text


def test_what_strangers_are_shown_is_kept_but_nobodys_own_page_is(client, sign_in, classroom):
    ada = sign_in("ada")
    (passed,) = submit(classroom, push("ada"))
    measure(classroom, passed)

    assert "Passed" in ada.get(LESSON).text
    assert "Passed" not in client.get(LESSON).text
    assert "x-depends-on" not in client.get(LESSON).headers
