from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_leaderboard.rules.ties import Group, group, tie_at, ties


@dataclass(frozen=True)
class Row:
    low: float | None = None
    high: float | None = None


CLAIM = Row()


def board(*intervals):
    return [Row(*interval) for interval in intervals]


@st.composite
def boards(draw):
    """Verified rows in the order of their scores, then claims."""
    scores = sorted(draw(st.lists(st.integers(-20, 20), max_size=30)), reverse=True)
    lengths = st.integers(0, 8)
    verified = [Row(score - draw(lengths), score + draw(lengths)) for score in scores]
    return verified + [CLAIM] * draw(st.integers(0, 4))


def test_rows_that_overlap_with_the_first_are_one_group():
    assert group(board((300, 400), (290, 390), (280, 310), (100, 200))) == [Group(1, 3), Group(4, 4)]


def test_a_chain_of_neighbours_is_not_one_group():
    assert group(board((30, 40), (25, 35), (20, 29), (15, 24))) == [Group(1, 2), Group(3, 4)]


def test_intervals_that_touch_overlap():
    assert group(board((30, 40), (20, 30))) == [Group(1, 2)]


def test_a_claim_stands_alone():
    assert group([*board((30, 40), (20, 35)), CLAIM, CLAIM]) == [Group(1, 2), Group(3, 3), Group(4, 4)]


def test_a_claim_ends_the_group_above_it():
    assert group([*board((30, 40)), CLAIM, *board((30, 40))]) == [Group(1, 1), Group(2, 2), Group(3, 3)]


def test_equal_agents_without_spread_are_one_group():
    assert group(board((500, 500), (500, 500), (499, 499))) == [Group(1, 2), Group(3, 3)]


def test_a_row_that_overlaps_again_below_one_that_does_not_is_in_the_lower_group():
    assert group(board((30, 40), (20, 29), (10, 35))) == [Group(1, 1), Group(2, 3)]


def test_an_empty_board_has_no_groups():
    assert group([]) == []


@given(boards())
def test_each_row_is_in_one_group(rows):
    ranks = [rank for found in group(rows) for rank in range(found.first_rank, found.last_rank + 1)]

    assert ranks == list(range(1, len(rows) + 1))


@given(boards())
def test_a_group_is_as_long_as_its_first_row_overlaps(rows):
    def overlap(one, other):
        return None not in (one.low, other.low) and one.low <= other.high and other.low <= one.high

    for found in group(rows):
        opener, members = rows[found.first_rank - 1], rows[found.first_rank : found.last_rank]
        assert all(overlap(opener, member) for member in members)
        assert found.last_rank == len(rows) or not overlap(opener, rows[found.last_rank])


@given(boards(), st.integers(0, 40))
def test_what_arrives_below_does_not_change_the_groups_above(rows, count):
    above = group(rows[:count])

    assert [found.first_rank for found in group(rows)][: len(above)] == [found.first_rank for found in above]


@given(boards(), st.integers(1, 40))
def test_a_page_knows_the_tie_of_each_row_wherever_it_begins(rows, rank):
    expected = next((found for found in group(rows) if found.first_rank <= rank <= found.last_rank), None)

    assert tie_at(ties(rows), rank) == (expected if expected and expected.is_tie else None)


@pytest.mark.parametrize(
    "row", [Row(1.0, None), Row(None, 1.0), Row(2.0, 1.0), Row(float("nan"), 1.0)], ids=["low", "high", "order", "nan"]
)
def test_what_is_no_interval_is_refused(row):
    with pytest.raises(ValueError, match="no interval"):
        group([row])
