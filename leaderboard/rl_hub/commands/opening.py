"""Opening the Hub that a command works on, beside a server that may be running."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rl_hub.hub import Hub
from rl_hub.settings import Settings


@contextmanager
def opened(settings: Settings) -> Iterator[Hub]:
    """The Hub of a command, closed at its end; a new one is made, and said to be new, where there is none."""
    if not settings.data.exists():
        print(f"There was no Hub in {settings.data}: this is a new one.", file=sys.stderr)
    hub = Hub.open(settings)
    try:
        yield hub
    finally:
        hub.close()
