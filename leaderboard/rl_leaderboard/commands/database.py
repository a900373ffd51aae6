"""`python -m rl_leaderboard migrate`."""

import argparse
import contextlib

from rl_hub.commands.subparsers import Subparsers
from rl_hub.database.engine import Database
from rl_hub.database.schema import HUB, Schema
from rl_leaderboard.commands.opening import hub_settings, opened
from rl_leaderboard.database.schema import LEADERBOARD
from rl_leaderboard.settings import Settings


def add_parsers(subparsers: Subparsers) -> None:
    """Adds `migrate`."""
    parser = subparsers.add_parser("migrate", help="bring the databases to this version; serve does it by itself")
    parser.set_defaults(run=migrate)


def migrate(settings: Settings, _options: argparse.Namespace) -> int:
    """Brings the databases to the schema of this version, and says from where to where."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    _upgrade(LEADERBOARD, settings.resolved_database_url)
    if settings.hub_embedded:
        hub = hub_settings(settings)
        hub.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        _upgrade(HUB, hub.resolved_database_url)
    # Opened once, it takes over the assignments of the course.
    with opened(settings):
        return 0


def _upgrade(schema: Schema, url: str) -> None:
    with contextlib.closing(Database(url)) as database:
        before = schema.version(database) or "empty"
        schema.upgrade(database)
    change = "is already at" if before == schema.head else f"went from {before} to"
    print(f"The database of {schema.owner} {change} {schema.head}.")
