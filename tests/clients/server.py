"""The Hub that the clients talk to: a process of its own, as an operator starts it."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hub_process import serving
from rl_hub.accounts import devices, organisations, tokens, users
from rl_hub.hub import Hub
from rl_hub.repositories import catalog
from rl_hub.settings import Settings

# More than a page of `list_models` holds.
CROWD, CROWD_SIZE = "crowd", 1001


@dataclass(frozen=True)
class RunningHub:
    """A Hub that is being served from `hub`'s folder by another process."""

    hub: Hub
    endpoint: str
    log: Path

    def add_people(self, user: str) -> dict[str, object]:
        """Adds the people of one run of the operations; returns those members of `Context` that are about people."""
        other, organisation = f"{user}-other", f"{user}-class"
        with self.hub.database.write() as connection:
            own = users.create(connection, user)
            class_ = organisations.create(connection, organisation)
            organisations.add_member(connection, class_.id, own.id, "write")
            return {
                "user": user,
                "token": tokens.create(connection, own.id, "writing", "write"),
                "reading_token": tokens.create(connection, own.id, "reading", "read"),
                "other": other,
                "other_token": tokens.create(connection, users.create(connection, other).id, "writing", "write"),
                "organisation": organisation,
                "crowd": CROWD,
                "crowd_size": CROWD_SIZE,
            }

    def approve(self, user: str, code: str) -> None:
        """Approves a sign-in, as the person does in the browser."""
        with self.hub.database.write() as connection:
            devices.approve(connection, code, users.get(connection, user).id, "write")

    def requests(self) -> Iterator[tuple[str, str]]:
        """Methods and paths of what was answered so far."""
        for line in self.log.read_text("utf-8").splitlines():
            with contextlib.suppress(ValueError, KeyError):
                entry = json.loads(line)
                yield entry["method"], entry["path"]


@contextlib.contextmanager
def running_hub(folder: Path) -> Iterator[RunningHub]:
    """Serves a new Hub from a folder with `python -m rl_hub serve`, on a free port of this machine."""
    data, log = folder / "hub-data", folder / "hub.log"
    with (
        log.open("wb") as errors,
        serving(data, log_level="INFO", errors=errors) as process,
        contextlib.closing(Hub.open(Settings(data))) as hub,
    ):
        _add_crowd(hub)
        yield RunningHub(hub, process.endpoint, log)


def _add_crowd(hub: Hub) -> None:
    with hub.database.write() as connection:
        token = tokens.create(connection, users.create(connection, CROWD).id, "writing", "write")
        identity = tokens.identify(connection, token)
        for number in range(CROWD_SIZE):
            catalog.create(connection, identity, "model", CROWD, f"agent-{number:04}", private=False)
