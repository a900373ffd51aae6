"""Pages that follow what happens, in a real browser."""

import pytest

from hub_server import served
from leaderboard_agents import ASSIGNMENT, push, submit
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.settings import Settings
from rl_leaderboard.web import live
from rl_leaderboard.web.app import create_app


@pytest.fixture
def classroom(tmp_path):
    opened = Classroom.open(Settings(tmp_path / "classroom-data"))
    yield opened
    opened.close()


@pytest.fixture
def endpoint(classroom):
    """The classroom's address, which takes the Hub's place here."""
    with served(create_app(classroom)) as address:
        yield address


def is_told(window, student):
    window.page.get_by_text(f"{student} handed in invader").wait_for(timeout=10_000)


def test_the_home_page_shows_what_happens_while_it_is_open(classroom, window):
    submit(classroom, *(push(f"s{number}") for number in range(25)))
    window.open("/")
    submit(classroom, push("ada"))

    is_told(window, "ada")
    rows = window.page.locator(".happenings li")
    assert rows.count() == 20
    assert rows.first.inner_text().startswith("ada handed in")


def test_a_board_follows_one_agent_after_the_other(classroom, window):
    window.open(f"/boards/{ASSIGNMENT}")

    for number, student in enumerate(("ada", "bob", "eve")):
        submit(classroom, push(student, mean=300 + number))
        window.page.locator("#board").get_by_role("row").filter(has_text=student).wait_for(timeout=10_000)


def test_a_browser_without_event_streams_asks_again_and_again(classroom, window):
    window.page.add_init_script("delete window.EventSource")
    window.open("/")
    submit(classroom, push("ada"))

    is_told(window, "ada")


def test_a_browser_that_finds_no_place_asks_again_and_again(classroom, window, monkeypatch):
    monkeypatch.setattr(live, "MOST_CLIENTS", 0)
    window.refused.add(f"{window.endpoint}/live?after=0")
    window.open("/")
    submit(classroom, push("ada"))

    is_told(window, "ada")


def test_news_is_read_aloud_only_to_those_who_want_it(classroom, window):
    submit(classroom, push("ada"))
    window.open("/")
    news = window.page.locator(".happenings")

    assert news.get_attribute("aria-live") == "off"
    window.page.get_by_role("button", name="Read news aloud").click()
    assert news.get_attribute("aria-live") == "polite"
