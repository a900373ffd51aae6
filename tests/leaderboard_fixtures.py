"""A classroom on a temporary folder: opened, asked in the same process, or really served."""

import shutil

import pytest
from fastapi.testclient import TestClient

from hub_server import served
from leaderboard_people import Someone
from rl_hub.hub import Hub
from rl_hub.settings import Settings as HubSettings
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.settings import Settings
from rl_leaderboard.web.app import create_app
from rl_units.course import load_course


@pytest.fixture(scope="session")
def empty_databases(tmp_path_factory):
    """The databases of a new classroom and its Hub: copying them is quicker than migrating once a test."""
    folder = tmp_path_factory.mktemp("empty-classroom")
    hub = Hub.open(HubSettings(folder / "hub"))
    Classroom.open(Settings(folder), hub=hub).close()
    hub.close()
    return folder


@pytest.fixture
def hub(tmp_path, empty_databases):
    """The embedded Hub."""
    folder = tmp_path / "classroom-data" / "hub"
    folder.mkdir(mode=0o700, parents=True)
    shutil.copyfile(empty_databases / "hub" / "hub.sqlite", folder / "hub.sqlite")
    opened = Hub.open(HubSettings(folder))
    yield opened
    opened.close()


@pytest.fixture
def settings(tmp_path):
    """What the operator decided; a test module may have other settings."""
    return Settings(tmp_path / "classroom-data")


@pytest.fixture
def course():
    """The units; a test module may have others."""
    return load_course()


@pytest.fixture
def classroom(settings, hub, empty_databases, course):
    if settings.database_url is None:
        shutil.copyfile(empty_databases / "leaderboard.sqlite", settings.data / "leaderboard.sqlite")
    opened = Classroom.open(settings, course, hub)
    yield opened
    opened.close()


@pytest.fixture
def app(classroom):
    return create_app(classroom)


@pytest.fixture
def client(app):
    """A browser that is not signed in."""
    with TestClient(app, base_url="http://classroom.test") as asked:
        yield asked


@pytest.fixture
def sign_in(app, client, classroom):
    """Gives a browser that is signed in as somebody: `ada = sign_in("ada")`, `sign_in("grace", role="teacher")`."""

    def enter(name, role="student"):
        return Someone.of(app, classroom, name, role)

    return enter


@pytest.fixture
def endpoint(app):
    """The address of the served classroom."""
    with served(app) as address:
        yield address
