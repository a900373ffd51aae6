"""What an operator decides, all of it from the environment.

Each setting is a field with its variable, its default and a sentence; the table in the README is compared with them.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rl_hub.errors import CommandError

_PREFIX = "RL_LEADERBOARD_"


def _text(value: str) -> str:
    return value.strip()


def _optional(value: str) -> str | None:
    return value.strip() or None


def _path(value: str) -> Path | None:
    return Path(value) if value.strip() else None


def _names(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _addresses(value: str) -> tuple[str, ...]:
    return tuple(_address(part) for part in _names(value))


def _address(value: str) -> str:
    parts = urlsplit(value.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("has to be an http:// or https:// address")
    return value.strip().rstrip("/")


def _optional_address(value: str) -> str | None:
    return _address(value) if value.strip() else None


def _github_folder(value: str) -> str | None:
    if not value.strip():
        return None
    parts = urlsplit(_address(value))
    names = [name for name in parts.path.split("/") if name]
    if parts.netloc.lower() not in ("github.com", "www.github.com") or len(names) < 4 or names[2] != "tree":
        raise ValueError("has to be a folder such as https://github.com/owner/name/tree/main/notebooks")
    return _address(value)


def _yes(value: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if value.strip().lower() not in words:
        raise ValueError("has to be yes or no")
    return words[value.strip().lower()]


def _seconds(value: str) -> float:
    seconds = float(value)
    if not 1 <= seconds <= 86_400:
        raise ValueError("has to be a number of seconds from 1 to 86400")
    return seconds


def _hour(value: str) -> int:
    hour = int(value)
    if not 0 <= hour <= 23:
        raise ValueError("has to be an hour from 0 to 23")
    return hour


def _days(value: str) -> int:
    days = int(value)
    if not 1 <= days <= 36_500:
        raise ValueError("has to be a number of days from 1 to 36500")
    return days


def _tier(value: str) -> str:
    letter = value.strip().upper()
    if letter not in ("A", "B", "C"):
        raise ValueError("has to be A, B or C")
    return letter


def _engine(value: str) -> str:
    engine = value.strip().lower()
    if engine not in ("table", "procrastinate"):
        raise ValueError("has to be table or procrastinate")
    return engine


def _season(value: str) -> str:
    season = value.strip()
    if not (0 < len(season) <= 32 and season.isascii() and season.replace("-", "").isalnum()):
        raise ValueError("has to be up to 32 letters, digits and dashes, such as 2026-autumn")
    return season


def _setting(name: str, read: Callable[[str], Any], default: Any, sentence: str) -> Any:
    return field(default=default, metadata={"name": _PREFIX + name, "read": read, "sentence": sentence})


@dataclass(frozen=True)
class Settings:
    """One classroom."""

    data: Path = _setting("DATA", Path, Path("classroom-data"), "The folder of databases, files and the secret")
    database_url: str | None = _setting(
        "DATABASE", _optional, None, "An SQLAlchemy URL, such as postgresql+psycopg://…; empty: SQLite in the folder"
    )
    public_url: str | None = _setting(
        "PUBLIC_URL", _optional_address, None, "The address that people use, if a proxy stands in front"
    )
    course_name: str = _setting("COURSE_NAME", _text, "RL Classroom", "The name on pages and certificates")
    hub_embedded: bool = _setting("HUB", _yes, True, "Whether the embedded Hub is served beside the pages")
    hub_data: Path | None = _setting(
        "HUB_DATA", _path, None, "The embedded Hub's folder; empty: the folder `hub` inside the classroom's"
    )
    hub_public_url: str | None = _setting(
        "HUB_URL", _optional_address, None, "The embedded Hub's address for people, if a proxy stands in front of it"
    )
    sources: tuple[str, ...] = _setting(
        "SOURCES", _addresses, (), "Addresses of other Hubs to read, such as https://huggingface.co; commas between"
    )
    source_token: str | None = _setting("SOURCE_TOKEN", _optional, None, "An access token for those Hubs")
    poll_seconds: float = _setting("POLL_SECONDS", _seconds, 300.0, "How often those Hubs are asked for news")
    sweep_hour: int = _setting("SWEEP_HOUR", _hour, 3, "The hour, in UTC, of the nightly full comparison with them")
    webhook_secret: str | None = _setting(
        "WEBHOOK_SECRET", _optional, None, "The secret of incoming webhooks; empty: they are refused"
    )
    oidc_issuer: str | None = _setting(
        "OIDC_ISSUER", _optional_address, None, "An OpenID provider to sign in with, such as https://huggingface.co"
    )
    oidc_client_id: str = _setting("OIDC_CLIENT_ID", _text, "", "The name under which the provider knows this site")
    oidc_client_secret: str | None = _setting("OIDC_CLIENT_SECRET", _optional, None, "The provider's secret for it")
    oidc_label: str = _setting("OIDC_LABEL", _text, "your school's account", "How the sign-in page calls the provider")
    oidc_source: str | None = _setting(
        "OIDC_SOURCE", _optional_address, None, "The Hub whose user names the provider vouches for; empty: none"
    )
    teachers: tuple[str, ...] = _setting(
        "TEACHERS", _names, (), "Account names that are teachers from their next sign-in on"
    )
    admins: tuple[str, ...] = _setting("ADMINS", _names, (), "Account names that are administrators of the site")
    certify_claims: bool = _setting(
        "CERTIFY_CLAIMS", _yes, False, "Whether scores that nobody verified count for certificates"
    )
    certificate_font: Path | None = _setting(
        "CERTIFICATE_FONT", _path, None, "A TrueType font for names that DejaVu Sans has no letters for"
    )
    notebooks_url: str | None = _setting(
        "NOTEBOOKS_URL",
        _github_folder,
        None,
        "The GitHub folder of the notebooks, for the links that open them in Colab; empty: no such links",
    )
    judge: bool = _setting("JUDGE", _yes, True, "Whether what is handed in waits for `judge` to measure it")
    judge_isolation: str = _setting(
        "JUDGE_ISOLATION", _tier, "B", "The least isolation that the judge works with: A, B, or C to allow limits alone"
    )
    judge_queue: str = _setting(
        "JUDGE_QUEUE", _engine, "table", "What keeps the judge's queue: table, or procrastinate on PostgreSQL"
    )
    season: str = _setting(
        "SEASON", _season, "1", "Names the judge's secret seeds: with another name every agent meets new games"
    )
    keep_films_days: int = _setting(
        "KEEP_FILMS_DAYS", _days, 90, "How long the films of evaluations that do not count any more are kept"
    )
    private_webhooks: bool = _setting(
        "PRIVATE_WEBHOOKS", _yes, False, "Whether webhooks may lead to private network addresses"
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads the settings.

        Raises:
            CommandError: If one cannot be read; the sentence names it.
        """
        values: dict[str, Any] = {}
        for setting in dataclasses.fields(cls):
            name, read = setting.metadata["name"], setting.metadata["read"]
            if environment.get(name, "").strip():
                try:
                    values[setting.name] = read(environment[name])
                except ValueError as error:
                    raise CommandError(f"The setting {name} cannot be read: {error}.") from None
        known = {setting.metadata["name"] for setting in dataclasses.fields(cls)}
        unknown = sorted(name for name in environment if name.startswith(_PREFIX) and name not in known)
        if unknown:
            raise CommandError(f"There is no setting {unknown[0]}; the README has a table of all of them.")
        return cls(**values)

    @property
    def resolved_database_url(self) -> str:
        """The URL of the database, whichever was chosen."""
        return self.database_url or f"sqlite:///{self.data / 'leaderboard.sqlite'}"

    @property
    def resolved_hub_data(self) -> Path:
        """The embedded Hub's folder."""
        return self.hub_data or self.data / "hub"
