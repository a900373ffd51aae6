"""Opening the classroom that a command works on, with its Hub, beside a server that may be running."""

import contextlib
import os
from collections.abc import Iterator, Mapping

from rl_hub.errors import CommandError
from rl_hub.hub import Hub
from rl_hub.settings import Limits
from rl_hub.settings import Settings as HubSettings
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.settings import Settings


def hub_settings(settings: Settings, environment: Mapping[str, str] = os.environ) -> HubSettings:
    """The embedded Hub's settings.

    Its database and limits are the Hub's own settings, so that `python -m rl_hub` with the same environment is about
    the same Hub.

    Raises:
        CommandError: If a limit cannot be read.
    """
    limits = Limits().with_quotas(environment.get("RL_HUB_LIMITS", "").split())
    database = environment.get("RL_HUB_DATABASE") or None
    return HubSettings(settings.resolved_hub_data, database, settings.hub_public_url, limits)


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Classroom]:
    """The classroom of a data folder, closed at the end; a new one is made where there is none."""
    with contextlib.ExitStack() as stack:
        hub = None
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if settings.hub_embedded:
            hub = stack.enter_context(contextlib.closing(Hub.open(hub_settings(settings))))
        yield stack.enter_context(contextlib.closing(Classroom.open(settings, hub=hub)))


@contextlib.contextmanager
def existing(settings: Settings) -> Iterator[Classroom]:
    """A classroom that has been served before.

    Raises:
        CommandError: If there is none; a mistyped folder is not made into a new classroom.
    """
    if not (settings.data / "secret.key").is_file():
        raise CommandError(f"There is no classroom in {settings.data}. Say where it is with RL_LEADERBOARD_DATA.")
    with opened(settings) as classroom:
        yield classroom
