import math
import random
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_leaderboard.charts.distribution import draw_distribution
from rl_leaderboard.charts.scale import round_scale
from rl_units.errors import ResultError

finite = st.floats(-1e12, 1e12)


def drawn(returns, threshold=None):
    return ElementTree.fromstring(
        draw_distribution(returns, mean=math.fsum(returns) / len(returns), threshold=threshold)
    )


def bars(chart):
    return [bar for bar in chart.iter("rect") if bar.get("class") == "chart-bar"]


def episodes(chart):
    titles = [bar.findtext("title") for bar in bars(chart)]
    return sum(int(re.search(r": ([\d,]+) episode", title)[1].replace(",", "")) for title in titles)


def line(chart, name):
    found = next((line for line in chart.iter("line") if line.get("class") == f"chart-{name}"), None)
    return None if found is None else float(found.get("x1"))


def test_the_chart_says_in_words_what_it_shows():
    chart = drawn([100.0, 200.0, 300.0, 400.0], threshold=150.0)

    assert chart.get("role") == "img"
    assert chart.findtext("title") == "Distribution of the episode returns"
    assert chart.findtext("desc") == (
        "Histogram of 4 episodes. Returns go from 100 to 400; mean 250, score 138.2, threshold 150; "
        "standard deviation 111.8."
    )
    assert {"Return of an episode", "Episodes"} <= {text.text for text in chart.iter("text")}


def test_lines_stand_for_mean_score_and_threshold_in_their_order():
    chart = drawn([100.0, 200.0, 300.0, 400.0], threshold=120.0)

    assert line(chart, "threshold") < line(chart, "score") < line(chart, "mean")
    assert line(drawn([1.0, 2.0]), "threshold") is None


@pytest.mark.parametrize(
    "returns",
    [[0.0], [7.5], [500.0] * 100, [-1e12, 1e12], [1e-9, 2e-9], [1e15, 1e15 + 0.125], [-1e99, 1e99], [0.0, 5e-324]],
    ids=str,
)
def test_odd_returns_are_drawn_inside_the_picture(returns):
    chart = drawn(returns)

    assert episodes(chart) == len(returns)
    for bar in bars(chart):
        assert float(bar.get("x")) >= 0
        assert float(bar.get("x")) + float(bar.get("width")) <= 480
        assert float(bar.get("height")) > 0


@given(st.lists(finite, min_size=1, max_size=60), st.none() | finite)
def test_every_episode_is_in_one_bar_and_every_line_in_the_picture(returns, threshold):
    chart = drawn(returns, threshold)

    assert episodes(chart) == len(returns)
    assert len(bars(chart)) <= 40
    assert all(0 <= float(mark.get("x1")) <= 480 for mark in chart.iter("line"))


def test_ten_thousand_episodes_make_a_small_picture():
    chance = random.Random(0)
    returns = [chance.gauss(300, 80) for _ in range(10_000)]

    picture = draw_distribution(returns, mean=300.0, threshold=200.0)

    assert episodes(ElementTree.fromstring(picture)) == 10_000
    assert len(picture) < 10_000


def test_the_picture_has_classes_and_no_styles():
    picture = draw_distribution([1.0, 2.0], mean=1.5, threshold=1.0)

    assert "style" not in picture
    assert "<script" not in picture


def test_a_return_on_a_border_belongs_to_the_bar_that_begins_there():
    titles = [bar.findtext("title") for bar in bars(drawn([0.0, 100.0, 100.0, 800.0]))]

    assert "100 to 200: 2 episodes" in titles


def test_labels_of_the_axis_keep_their_distance():
    chart = drawn([-123456.0, 654321.0] * 500)
    labels = [text for text in chart.iter("text") if text.get("y") == "255"]
    edges = [
        (float(text.get("x")) - 3.5 * len(text.text), float(text.get("x")) + 3.5 * len(text.text)) for text in labels
    ]

    assert len(labels) >= 2
    assert all(right < left for (_, right), (left, _) in pairwise(edges))


@pytest.mark.parametrize("returns", [[], [math.nan], [1.0, math.inf]])
def test_returns_that_have_no_score_are_refused(returns):
    with pytest.raises(ResultError):
        draw_distribution(returns, mean=0.0, threshold=None)


@pytest.mark.parametrize(("mean", "threshold"), [(math.nan, None), (1.0, math.inf), (1.0, 1e101)])
def test_lines_that_have_no_place_are_refused(mean, threshold):
    with pytest.raises(ValueError, match="too large"):
        draw_distribution([1.0], mean=mean, threshold=threshold)


@given(finite, finite, st.integers(1, 24))
def test_an_axis_holds_both_ends_and_has_about_as_many_parts_as_asked_for(one, other, parts):
    low, high = sorted([one, other])

    scale = round_scale(low, high, parts)

    slack = 1e-6 * scale.step + 1e-9 * max(abs(low), abs(high))
    assert scale.low <= low + slack
    assert scale.high >= high - slack
    assert 1 <= scale.last - scale.first <= 1.5 * parts + 3
