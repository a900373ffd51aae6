"""One Hub for all tests of a module, emptied before each of them: making its tables takes longer than most tests."""

import pytest
from starlette.testclient import TestClient

from rl_hub.database import tables
from rl_hub.hub import Hub
from rl_hub.settings import Settings
from rl_hub.web.app import create_app


def fixtures():
    """The fixtures `kept_client`, `hub` and `client`, to be bound to these names in a test module."""

    @pytest.fixture(scope="module")
    def kept_client(tmp_path_factory):
        hub = Hub.open(Settings(tmp_path_factory.mktemp("kept") / "hub-data"))
        with TestClient(create_app(hub)) as client:
            yield client
        hub.close()

    @pytest.fixture
    def hub(kept_client):
        hub = kept_client.app.state.hub
        with hub.database.write() as connection:
            for table in reversed(tables.metadata.sorted_tables):
                connection.execute(table.delete())
        return hub

    @pytest.fixture
    def client(kept_client, hub):
        return kept_client

    return kept_client, hub, client
