"""What the environment's page says, against the game itself."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

import snowball_fight
from snowball_fight import ONE_VS_ONE, TARGET_PRACTICE, TWO_VS_TWO, ArenaSpec
from snowball_fight.layout import SLICES, n_floats
from snowball_fight.opponents.players import Player

PAGE = Path(snowball_fight.__file__).parent / "README.md"
TEXT = PAGE.read_text("utf-8")


def stated_constants() -> dict[str, str]:
    """The page's table of constants: name and value, as written."""
    section = TEXT.split("## The arena's constants")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", section, re.MULTILINE))


def test_the_page_states_every_constant_of_the_arena():
    assert set(stated_constants()) == {field.name for field in fields(ArenaSpec)}


@pytest.mark.parametrize("name", [field.name for field in fields(ArenaSpec)])
def test_the_pages_value_is_the_arenas(name):
    value = getattr(ONE_VS_ONE, name)
    if name == "shelters":
        expected = "; ".join(f"({x:g}, {y:g}) radius {radius:g}" for x, y, radius in value)
    else:
        expected = f"{value:,}" if isinstance(value, int) else f"{value:g}"
    assert stated_constants()[name] == expected


def test_every_picture_of_the_page_is_there_and_each_is_shown():
    shown = set(re.findall(r"\(pictures/([\w.]+)\)", TEXT))
    assert shown == {path.name for path in (PAGE.parent / "pictures").iterdir()}


def test_the_page_tells_how_long_observations_are_and_where_each_sensor_stands():
    assert f"Box({n_floats(ONE_VS_ONE)} floats" in TEXT
    assert f"That makes {n_floats(TWO_VS_TWO)} floats" in TEXT
    stated = {
        name: (int(first), int(last) + 1)
        for first, last, name in re.findall(r"^\| (\d+) to (\d+) \| `(\w+)`", TEXT, re.M)
    }
    assert stated == {name: (floats.start, floats.stop) for name, floats in SLICES.items()}


def test_the_page_tells_the_rewards_and_the_time_limit():
    assert f"| +{ONE_VS_ONE.hit_reward:g} |" in TEXT
    assert f"A hit gives +{TARGET_PRACTICE.target_reward:g} " in TEXT
    seconds = ONE_VS_ONE.max_ticks * ONE_VS_ONE.tick_seconds
    assert (
        f"{ONE_VS_ONE.max_ticks:,} ticks, which are {ONE_VS_ONE.max_decisions} decisions or {seconds:g} seconds" in TEXT
    )


def test_the_page_names_the_scripted_players_from_weakest_to_strongest():
    section = TEXT.split("## Opponents")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)`", section, re.M)[: len(Player)] == [player.name.lower() for player in Player]


def test_the_page_has_the_chapters_of_gymnasiums_documentation_in_their_order():
    chapters = re.findall(r"^## (.+)$", TEXT, re.M)
    usual = [
        "Description",
        "Action Space",
        "Observation Space",
        "Rewards",
        "Starting State",
        "Episode End",
        "Arguments",
    ]
    assert chapters[: len(usual)] == usual
    assert chapters[-1] == "Version History"
