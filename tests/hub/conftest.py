"""A Hub on a temporary folder: opened, asked in the same process, or really served."""

import itertools
import shutil
from dataclasses import dataclass, field

import pytest
from starlette.testclient import TestClient

from hub_accounts import token_for
from hub_server import served
from rl_hub.hub import Hub
from rl_hub.settings import Settings
from rl_hub.web.app import create_app


@dataclass
class LiveHub:
    """A Hub that listens on a free port of this machine."""

    hub: Hub
    endpoint: str
    _numbers: itertools.count = field(default_factory=itertools.count)

    def user(self, name, role="write", is_admin=False):
        """Creates the user if need be, and a token."""
        return token_for(self.hub, name, role, is_admin, f"token {next(self._numbers)}")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """The database of a new Hub: copying it is quicker than migrating once a test."""
    folder = tmp_path_factory.mktemp("empty")
    Hub.open(Settings(folder)).close()
    return folder / "hub.sqlite"


@pytest.fixture
def hub(tmp_path, empty_database):
    data = tmp_path / "hub-data"
    data.mkdir(mode=0o700)
    shutil.copyfile(empty_database, data / "hub.sqlite")
    opened = Hub.open(Settings(data))
    yield opened
    opened.close()


@pytest.fixture
def client(hub):
    with TestClient(create_app(hub)) as asked:
        yield asked


@pytest.fixture
def live_hub(hub):
    with served(create_app(hub)) as endpoint:
        yield LiveHub(hub, endpoint)
