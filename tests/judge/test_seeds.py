import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_leaderboard.rules.seeds import MOST_SEEDS, commitment, derive_seeds, season_key, seeds_of_season

SECRET = bytes(range(32))
NAMES = st.text(min_size=1, max_size=20)


def seeds(secret=SECRET, protocol_id="cartpole", version=1, season="2026-autumn", batch="ranking-1", count=50):
    return derive_seeds(secret, protocol_id, version, season, batch, count)


@given(NAMES, st.integers(1, 1000), NAMES, NAMES, st.integers(1, 500))
def test_a_batch_has_different_seeds_of_31_bits(protocol_id, version, season, batch, count):
    found = derive_seeds(SECRET, protocol_id, version, season, batch, count)

    assert len(found) == len(set(found)) == count
    assert all(0 <= seed < 2**31 for seed in found)


def test_the_same_batch_has_the_same_seeds():
    assert seeds() == seeds()


def test_a_longer_batch_begins_as_a_shorter_one():
    assert seeds(count=200)[:50] == seeds(count=50)


@pytest.mark.parametrize(
    "other",
    [
        {"secret": bytes(32)},
        {"protocol_id": "cartpole2"},
        {"version": 2},
        {"season": "2027-spring"},
        {"batch": "ranking-2"},
        {"batch": "confirmation"},
    ],
    ids=["secret", "protocol", "version", "season", "batch", "confirmation"],
)
def test_whatever_differs_the_seeds_are_others(other):
    assert not set(seeds()) & set(seeds(**other))


def test_names_that_read_the_same_in_a_row_are_told_apart():
    assert derive_seeds(SECRET, "a", 11, "s", "b", 5) != derive_seeds(SECRET, "a1", 1, "s", "b", 5)
    assert derive_seeds(SECRET, "a", 1, "s", "1b", 5) != derive_seeds(SECRET, "a", 11, "s", "b", 5)


def test_a_published_key_gives_everybody_the_seeds_of_its_season():
    key = season_key(SECRET, "2026-autumn")

    assert seeds_of_season(key, "cartpole", 1, "ranking-1", 50) == seeds()


def test_a_published_key_is_checked_against_what_was_published_before():
    key = season_key(SECRET, "2026-autumn")

    assert commitment(key) == hashlib.sha256(b"\x00\x00\x00\x20rl-classroom season commitment 1" + key).hexdigest()
    assert commitment(key) != commitment(season_key(SECRET, "2027-spring"))


def test_seeds_can_be_derived_by_hand():
    def message(*parts):
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    key = hmac.digest(SECRET, message(b"rl-classroom season key 1", b"2026-autumn"), "sha256")
    first = hmac.digest(key, message(b"rl-classroom seeds 1", b"cartpole", b"1", b"ranking-1", b"0"), "sha256")

    assert seeds(count=2) == (
        int.from_bytes(first[:4], "big") >> 1,
        int.from_bytes(first[4:8], "big") >> 1,
    )


def test_seeds_are_spread_evenly():
    high = sum(seed >= 2**30 for seed in seeds(count=10_000))

    assert 4_700 < high < 5_300


@pytest.mark.parametrize("secret", [b"", b"x" * 31], ids=["none", "31 bytes"])
def test_a_short_secret_is_refused(secret):
    with pytest.raises(ValueError, match="32 random ones"):
        seeds(secret=secret)


@pytest.mark.parametrize(
    "wrong",
    [{"season": ""}, {"protocol_id": ""}, {"batch": ""}, {"version": 0}, {"count": 0}, {"count": MOST_SEEDS + 1}],
    ids=["season", "protocol", "batch", "version", "none", "too many"],
)
def test_what_names_no_batch_is_refused(wrong):
    with pytest.raises(ValueError, match=r"name|version"):
        seeds(**wrong)
