import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_leaderboard.rules.claims import LIMIT, Claim, read_claim, without_score

ENV_ID = "LunarLander-v3"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
written_numbers = (
    st.floats().map(repr)
    | st.integers().map(str)
    | st.sampled_from(["nan", "-inf", "1e400", "1e-400", "-0", "٣", "1_0", "0x10", "", ".5", "5.", "1e13"])
)
written_scores = st.tuples(
    written_numbers, st.sampled_from([" +/- ", "±", " +- ", "+/-", " -/+ ", " "]), written_numbers
).map("".join)


@pytest.mark.parametrize(
    ("value", "mean", "std"),
    [
        ("451.50 +/- 120.25", 451.5, 120.25),
        ("258.23 +/- 18.19", 258.23, 18.19),
        ("500.00 +/- 0.00", 500, 0),
        ("-3.50 +/- 0.61", -3.5, 0.61),
        ("\N{MINUS SIGN}3.50 ± 0.61", -3.5, 0.61),
        ("258.23 ± 18.19", 258.23, 18.19),
        ("258.23±18.19", 258.23, 18.19),
        ("258.23\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}18.19", 258.23, 18.19),
        ("258.23+/-18.19", 258.23, 18.19),
        ("258.23 +- 18.19", 258.23, 18.19),
        ("  258.23 +/- 18.19\n", 258.23, 18.19),
        ("2.5e2 +/- 1E1", 250, 10),
        ("+7 +/- .5", 7, 0.5),
        ("7.56", 7.56, 0),
        ("-7.", -7, 0),
        (21, 21, 0),
        (0, 0, 0),
        (-3.5, -3.5, 0),
        (1e12, 1e12, 0),
    ],
)
def test_a_score_is_read_as_cards_write_it(value, mean, std):
    assert read_claim(ENV_ID, value) == Claim(ENV_ID, float(mean), float(std), None, "")


@pytest.mark.parametrize(
    "value",
    ["nan +/- nan", "nan", "NaN", "-NAN", ".nan", "258.23 +/- nan", "nan ± 1.0", "258.23 +/- .NaN", math.nan],
)
def test_what_is_not_a_number_is_no_score(value):
    claim = read_claim(ENV_ID, value)
    assert (claim.mean, claim.std, claim.score) == (None, None, None)
    assert claim.problem == (
        f"The score for {ENV_ID} in the model card is not a number (nan). Evaluate the agent again, then push it again."
    )


@pytest.mark.parametrize(
    "value",
    [
        *("inf", "-Infinity", ".inf", "INF +/- 1", "1 +/- inf", "1e400", "1 +/- 1e400", "1e13", "-2e12 +/- 0"),
        "-1000000000000 +/- 1000000000000",  # what is ranked is the one minus the other
        *(10**400, -(10**4000), 10**13, math.inf, -math.inf, 1.1e12),
    ],
)
def test_what_no_environment_gives_is_no_score(value):
    claim = read_claim(ENV_ID, value)
    assert claim.score is None
    assert "is larger than any environment gives" in claim.problem


def test_a_number_that_python_would_not_write_is_no_score():
    assert "is larger than any environment gives" in read_claim(ENV_ID, 10**5000).problem


def test_a_negative_standard_deviation_is_refused():
    for value in ("10 +/- -3", "10 ± \N{MINUS SIGN}3", "10 +/--0.01"):
        claim = read_claim(ENV_ID, value)
        assert claim.score is None
        assert "negative standard deviation" in claim.problem


@pytest.mark.parametrize("value", ["1,234.50 +/- 20.00", "1,234", "258,23 +/- 18,19"])
def test_a_comma_is_refused_since_it_may_stand_for_either(value):
    claim = read_claim(ENV_ID, value)
    assert claim.score is None
    assert claim.problem.startswith(f'The score for {ENV_ID} in the model card has a comma: "{value}". Write numbers')


@pytest.mark.parametrize(
    "value",
    [
        *("", "   ", "good", "258.23 +/-", "+/- 18.19", "258.23 18.19", "258.23 +/- 18.19 +/- 1", "258.23 +/- 18.19%"),
        *(
            "٢٥٨ +/- ١٨",
            "\uff12\uff15\uff18",
            "1_000",
            "0x1F",
            "1e",
            "--5",
            ".",
            "five, or so",
            "<script>alert(1)</script>",
            "\x00",
        ),
    ],
)
def test_other_text_is_no_score_and_says_how_to_write_one(value):
    claim = read_claim(ENV_ID, value)
    assert claim.score is None
    assert "cannot be read" in claim.problem
    assert "258.23 +/- 18.19" in claim.problem
    assert claim.problem.isprintable()


@pytest.mark.parametrize("value", [True, False, [], ["258.23 +/- 18.19"], {}, {"mean": 1, "std": 0}, [[[[1]]]]])
def test_other_json_is_no_score(value):
    claim = read_claim(ENV_ID, value)
    assert claim.score is None
    assert "neither a number nor a text" in claim.problem


def test_an_empty_value_is_no_score():
    assert "is empty" in read_claim(ENV_ID, None).problem


def test_a_megabyte_of_digits_is_refused_without_being_repeated():
    for text in ("9" * 2**20, " " * 2**20 + "5", "1 +/- " + "0" * 2**20):
        claim = read_claim(ENV_ID, text)
        assert claim.score is None
        assert len(claim.problem) < 300


@pytest.mark.parametrize(
    ("stated", "n_episodes"),
    [(10, 10), (1, 1), *((nothing, None) for nothing in (None, 0, -5, True, "10", 10.0, 10**400, [10], math.nan))],
)
def test_the_number_of_episodes_is_a_whole_number_or_not_said(stated, n_episodes):
    assert read_claim(ENV_ID, "5 +/- 1", stated).n_episodes == n_episodes


@given(json_values | written_scores, json_values)
def test_whatever_a_card_says_a_claim_has_finite_numbers_or_a_reason(value, n_episodes):
    claim = read_claim(ENV_ID, value, n_episodes)
    if claim.mean is None:
        assert claim.std is claim.score is claim.n_episodes is None
        assert claim.problem.endswith(".")
        assert claim.problem.isprintable()
        assert len(claim.problem) < 400
    else:
        assert isinstance(claim.mean, float)
        assert isinstance(claim.std, float)
        assert abs(claim.mean) <= LIMIT
        assert 0 <= claim.std <= LIMIT
        assert claim.score == claim.mean - claim.std
        assert math.isfinite(claim.score)
        assert claim.problem == ""


@given(
    st.floats(-LIMIT / 2, LIMIT, allow_subnormal=False),
    st.floats(0, LIMIT / 2, allow_subnormal=False),
    st.sampled_from([" +/- ", " ± ", "±"]),
)
def test_a_score_is_what_was_written(mean, std, sign):
    claim = read_claim(ENV_ID, f"{mean!r}{sign}{std!r}")
    assert (claim.mean, claim.std) == (mean, std)


@pytest.mark.parametrize(
    "fields",
    [
        (ENV_ID, math.nan, 0.0, None, ""),
        (ENV_ID, 0.0, math.nan, None, ""),
        (ENV_ID, math.inf, 0.0, None, ""),
        (ENV_ID, 0.0, -1.0, None, ""),
        (ENV_ID, 2 * LIMIT, 0.0, None, ""),
        (ENV_ID, 0.0, None, None, ""),
        (ENV_ID, None, 0.0, None, ""),
        (ENV_ID, 0.0, 0.0, 0, ""),
        ("", 0.0, 0.0, None, ""),
        ("x" * 129, 0.0, 0.0, None, ""),
        ("Pong\N{RIGHT-TO-LEFT OVERRIDE}", 0.0, 0.0, None, ""),
    ],
)
def test_nobody_can_make_a_claim_out_of_range(fields):
    with pytest.raises(ValueError, match=r"claim|cannot be the id"):
        Claim(*fields)


def test_a_claim_without_a_score_says_why():
    assert without_score(ENV_ID, "Why.") == Claim(ENV_ID, None, None, None, "Why.")
