"""`make screenshots`: pictures of the classroom's main pages, of a classroom that is filled for it, for the README."""

import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from classroom_scene import set_up
from hub_server import served
from leaderboard_agents import ASSIGNMENT
from rl_hub.hub import Hub
from rl_hub.settings import Settings as HubSettings
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.people import people, sessions
from rl_leaderboard.settings import Settings
from rl_leaderboard.web.app import create_app

FOLDER = Path(__file__).parents[1] / "leaderboard" / "pictures"
_CHROMIUM = "/usr/bin/chromium"
_WINDOW = {"width": 1280, "height": 800}


def main() -> None:
    """Draws every picture anew."""
    with tempfile.TemporaryDirectory() as temporary:
        hub = Hub.open(HubSettings(Path(temporary) / "hub"))
        classroom = Classroom.open(Settings(Path(temporary)), hub=hub)
        scene = set_up(classroom)
        with classroom.read() as connection:
            ada = people.find(connection, people.HUB, "ada")
        pages = {
            "home": ("/", None),
            "board": (f"/boards/{ASSIGNMENT}", ada),
            "agent": (f"/agents/{scene.agent_id}", None),
            "lesson": ("/units/unit3_dqn_atari", None),
            "progress": ("/me", ada),
            "roster": (f"/classes/{scene.class_id}", scene.teacher),
        }
        with served(create_app(classroom)) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
            for name, (path, person) in pages.items():
                _draw(browser, classroom, address, path, person, FOLDER / f"{name}.png")
            browser.close()
        classroom.close()
        hub.close()


def _draw(browser, classroom, address, path, person, file) -> None:
    context = browser.new_context(viewport=_WINDOW)
    if person is not None:
        with classroom.write() as connection:
            session = sessions.create(connection, person.id)
        context.add_cookies([{"name": sessions.COOKIE, "value": session.id, "url": address}])
    page = context.new_page()
    page.goto(address + path)
    file.parent.mkdir(exist_ok=True)
    page.screenshot(path=file)
    context.close()
    print(file)


if __name__ == "__main__":
    main()
