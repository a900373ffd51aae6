"""What an operator decides: read from the environment, and documented in one table."""

import dataclasses
from pathlib import Path

import pytest

from rl_hub.errors import CommandError
from rl_leaderboard.commands.opening import hub_settings
from rl_leaderboard.settings import Settings

README = Path(__file__).resolve().parents[2] / "leaderboard" / "README.md"


def read(**settings):
    return Settings.from_environment({f"RL_LEADERBOARD_{name}": value for name, value in settings.items()})


def shown(default):
    """A default as the table has it."""
    if isinstance(default, bool):
        return "yes" if default else "no"
    if default is None or default in ((), ""):
        return ""
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def test_the_table_of_the_readme_has_every_setting_with_its_default_and_sentence():
    table = README.read_text("utf-8").partition("<!-- settings: start -->")[2].partition("<!-- settings: end -->")[0]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table.strip().splitlines()[2:]]

    assert rows == [
        (f"`{setting.metadata['name']}`", shown(setting.default), setting.metadata["sentence"])
        for setting in dataclasses.fields(Settings)
    ]


def test_nothing_has_to_be_set():
    settings = read()

    assert settings == Settings()
    assert settings.resolved_database_url == "sqlite:///classroom-data/leaderboard.sqlite"
    assert settings.resolved_hub_data == Path("classroom-data/hub")


def test_every_kind_of_value_is_read():
    settings = read(
        DATA="/srv/rl",
        DATABASE="postgresql+psycopg://rl@localhost/rl",
        HUB="off",
        HUB_DATA="/srv/hub",
        SOURCES="https://huggingface.co/, http://hub.school:7870",
        POLL_SECONDS="60",
        SWEEP_HOUR="23",
        TEACHERS="grace, ada ,",
        PUBLIC_URL="https://rl.school.example/",
    )

    assert settings.data == Path("/srv/rl")
    assert settings.resolved_database_url == "postgresql+psycopg://rl@localhost/rl"
    assert (settings.hub_embedded, settings.resolved_hub_data) == (False, Path("/srv/hub"))
    assert settings.sources == ("https://huggingface.co", "http://hub.school:7870")
    assert (settings.poll_seconds, settings.sweep_hour, settings.teachers) == (60.0, 23, ("grace", "ada"))
    assert settings.public_url == "https://rl.school.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HUB", "perhaps"),
        ("SOURCES", "huggingface.co"),
        ("PUBLIC_URL", "ftp://example.org"),
        ("POLL_SECONDS", "0"),
        ("POLL_SECONDS", "nan"),
        ("POLL_SECONDS", "often"),
        ("SWEEP_HOUR", "24"),
        ("SWEEP_HOUR", "3.5"),
    ],
)
def test_a_value_that_cannot_be_read_is_told_with_its_name(name, value):
    with pytest.raises(CommandError, match=f"RL_LEADERBOARD_{name} cannot be read"):
        read(**{name: value})


def test_a_setting_that_does_not_exist_is_told():
    with pytest.raises(CommandError, match="There is no setting RL_LEADERBOARD_DTA"):
        read(DTA="/srv/rl")


def test_an_empty_value_is_none():
    assert read(DATABASE=" ", SOURCES="", SWEEP_HOUR="") == Settings()


def test_the_hubs_own_settings_hold_for_the_embedded_one(tmp_path):
    environment = {"RL_HUB_LIMITS": "file=1G", "RL_HUB_DATABASE": "postgresql+psycopg://hub@localhost/hub"}

    hub = hub_settings(Settings(tmp_path, hub_public_url="https://hub.example.org"), environment)

    assert (hub.data, hub.limits.file_bytes) == (tmp_path / "hub", 2**30)
    assert hub.resolved_database_url == "postgresql+psycopg://hub@localhost/hub"
    assert hub.public_url == "https://hub.example.org"
