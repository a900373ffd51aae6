import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_leaderboard.rules.certification import level

ORDER = ["none", "completion", "excellence"]


@pytest.mark.parametrize(
    ("passed", "required", "earned"),
    [
        (0, 0, "none"),
        (0, 1, "none"),
        (1, 1, "excellence"),
        (3, 4, "none"),
        (4, 5, "completion"),
        (5, 5, "excellence"),
        (5, 7, "none"),
        (6, 7, "completion"),
        (79, 100, "none"),
        (80, 100, "completion"),
        (99, 100, "completion"),
        (100, 100, "excellence"),
    ],
)
def test_eighty_percent_complete_the_course_and_all_of_it_is_excellence(passed, required, earned):
    assert level(passed, required) == earned


@given(st.integers(1, 500), st.data())
def test_one_more_passed_assignment_never_takes_a_certificate_away(required, data):
    passed = data.draw(st.integers(0, required - 1))

    assert ORDER.index(level(passed + 1, required)) >= ORDER.index(level(passed, required))


@pytest.mark.parametrize(("passed", "required"), [(-1, 3), (4, 3), (1, 0), (0, -1)])
def test_numbers_that_cannot_belong_together_are_refused(passed, required):
    with pytest.raises(ValueError, match="cannot be passed"):
        level(passed, required)
