"""Names that must not be mistaken for each other."""

import pytest

from leaderboard_people import add_person
from rl_leaderboard.errors import BadRequest
from rl_leaderboard.people import people
from rl_leaderboard.rules.lookalikes import folded, is_plain


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ada", "ADA"),
        ("ada", "a\u200bda"),
        ("ada", "ada\ufe0f"),
        ("ada", "ada\u034f"),
        ("ada", "ada\u3164"),
        ("ada", "\u1160ada"),
        ("ada", "ada\u2800"),
        ("ada", "\uff41da"),
        ("ada", "\u0430\u0501\u0430"),
        ("pop", "\u03c1\u03bf\u03c1"),
        ("bill", "BiIl"),
        ("bob", "b0b"),
        ("lin-1", "lin\u2010l"),
        ("a b", " a  b "),
    ],
)
def test_they_look_alike(one, other):
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"), [("ada", "adam"), ("\u00e1da", "ada"), ("a b", "ab"), ("anna", "\u0430\u043d\u043d\u0430")]
)
def test_they_do_not(one, other):
    assert folded(one) != folded(other)


@pytest.mark.parametrize(
    "name",
    [
        "Ada",
        "Night Owl 7",
        "\u0410\u043d\u043d\u0430",
        "\u5c71\u7530\u30a2\u30ca Ana",
        "\ud55c\uad6d",
        "\u00c9lo\u00efse",
        "owl \U0001f989",
    ],
)
def test_letters_of_one_script_are_plain(name):
    assert is_plain(name)


@pytest.mark.parametrize("name", ["\u0430da", "ad\u03b1", "\u3164", "\u2800\ufe0f", ""])
def test_mixed_letters_and_nothing_to_be_seen_are_not(name):
    assert not is_plain(name)


@pytest.mark.parametrize(
    "wished", ["\u0430da", "ada\ufe0f", "ada\u3164", "\u0430\u0501\u0430", "\u1160ada", "\u2800", "p1t"]
)
def test_nobody_takes_a_pseudonym_that_looks_like_anothers_name(classroom, wished):
    add_person(classroom, "ada")
    add_person(classroom, "pit")
    eve = add_person(classroom, "eve")

    with classroom.write() as connection, pytest.raises(BadRequest):
        people.change_privacy(connection, eve, pseudonym=wished, is_public=False)
