"""Rendered cards: kept, shared by those who wait, and few at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock

import pytest
from markupsafe import Markup

from rl_hub.errors import Busy
from rl_hub.web.pages.kept_cards import KeptCards

KEY = ("sha256", "/ada/agent")


class Renderings:
    """Renderings that take until they are let go; says how many ran, and how many at once."""

    def __init__(self, html="<p>x</p>", waits=False):
        self.html, self.count, self.running, self.most = html, 0, 0, 0
        self.begun, self.go = Event(), Event()
        self._waits, self._lock = waits, Lock()

    def __call__(self):
        with self._lock:
            self.count += 1
            self.running += 1
            self.most = max(self.most, self.running)
        self.begun.set()
        assert not self._waits or self.go.wait(10)
        with self._lock:
            self.running -= 1
        return Markup(self.html)


def test_a_card_is_rendered_once():
    cards, render = KeptCards(), Renderings()
    assert [cards.get(KEY, render), cards.get(KEY, render)] == ["<p>x</p>", "<p>x</p>"]
    assert render.count == 1


@pytest.mark.parametrize("other", [("another", "/ada/agent"), ("sha256", "/hub/ada/agent")])
def test_another_text_or_another_place_is_another_card(other):
    cards, render = KeptCards(), Renderings()
    cards.get(KEY, render)
    cards.get(other, render)
    assert render.count == 2


def test_those_not_asked_for_give_way():
    cards, first, second, third = KeptCards(room=2500), *(Renderings("x" * 1000) for _ in range(3))
    cards.get(("1", ""), first)
    cards.get(("2", ""), second)
    cards.get(("1", ""), first)
    cards.get(("3", ""), third)
    cards.get(("1", ""), first)
    cards.get(("2", ""), second)
    assert (first.count, second.count, third.count) == (1, 2, 1)


def test_a_card_without_room_is_shown_and_not_kept():
    cards, render = KeptCards(room=100), Renderings("x" * 1000)
    assert len(cards.get(KEY, render)) == len(cards.get(KEY, render)) == 1000
    assert render.count == 2


def test_all_who_want_the_same_card_wait_for_one_rendering():
    cards, render, together = KeptCards(at_once=8, most=8), Renderings(waits=True), Barrier(9)

    def ask():
        together.wait(10)
        return cards.get(KEY, render)

    with ThreadPoolExecutor(8) as people:
        answers = [people.submit(ask) for _ in range(8)]
        together.wait(10)
        render.go.set()
        assert {answer.result() for answer in answers} == {"<p>x</p>"}
    assert render.count == 1


def test_few_cards_are_rendered_at_once():
    cards, render = KeptCards(at_once=2), Renderings()
    with ThreadPoolExecutor(8) as people:
        list(people.map(lambda number: cards.get((str(number), ""), render), range(8)))
    assert render.most <= 2


def test_nobody_waits_behind_too_many():
    cards, render = KeptCards(most=1), Renderings(waits=True)
    with ThreadPoolExecutor(1) as people:
        waiting = people.submit(cards.get, KEY, render)
        assert render.begun.wait(10)
        with pytest.raises(Busy):
            cards.get(("another", ""), Renderings())
        render.go.set()
        waiting.result()
    assert cards.get(("another", ""), Renderings()) == "<p>x</p>"


def test_a_rendering_that_fails_is_tried_again():
    cards = KeptCards(most=1)
    with pytest.raises(ZeroDivisionError):
        cards.get(KEY, lambda: Markup(1 // 0))
    assert cards.get(KEY, Renderings()) == "<p>x</p>"
