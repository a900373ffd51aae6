"""Empty classrooms on SQLite and on a real PostgreSQL, for tests that are about both.

from leaderboard_databases import ENGINES, new_classroom, postgresql, postgresql_template  # noqa: F401  fixtures
"""

import contextlib

import pytest

from postgresql import NoPostgreSQL, running_server
from rl_hub.hub import Hub
from rl_hub.settings import Settings as HubSettings
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.settings import Settings

ENGINES = ["sqlite", "postgresql"]


@pytest.fixture(scope="session")
def postgresql():
    """A running server; the test is skipped where there is none."""
    with contextlib.ExitStack() as stack:
        try:
            running = stack.enter_context(running_server())
        except NoPostgreSQL as error:
            pytest.skip(str(error))
        yield running


@pytest.fixture(scope="session")
def postgresql_template(postgresql, tmp_path_factory):
    """The name of a database with all tables in it."""
    url = postgresql.create_database()
    Classroom.open(Settings(tmp_path_factory.mktemp("template"), database_url=url)).close()
    return url.rpartition("/")[2].partition("?")[0]


@pytest.fixture
def new_classroom(tmp_path, request):
    """Opens an empty classroom with a Hub on the named engine; the Hub's own database is SQLite."""
    with contextlib.ExitStack() as stack:

        def open_classroom(engine, *, hub=True):
            data = tmp_path / f"classroom-{len(list(tmp_path.iterdir()))}"
            url = None
            if engine == "postgresql":
                server = request.getfixturevalue("postgresql")
                url = server.create_database(request.getfixturevalue("postgresql_template"))
                stack.callback(server.drop_database, url)
            settings = Settings(data, database_url=url, hub_embedded=hub)
            opened_hub = None
            if hub:
                opened_hub = stack.enter_context(contextlib.closing(Hub.open(HubSettings(settings.resolved_hub_data))))
            return stack.enter_context(contextlib.closing(Classroom.open(settings, hub=opened_hub)))

        yield open_classroom
