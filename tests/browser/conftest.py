"""A real browser, and people who use it."""

import shutil
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from hub_server import served
from rl_hub.hub import Hub
from rl_hub.settings import Settings
from rl_hub.web.app import create_app

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
_KINDS_OF_WINDOWS = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": _PHONE,
    "desktop without scripts": {"viewport": {"width": 1280, "height": 800}, "java_script_enabled": False},
}


@dataclass
class Window:
    """A browser's window, and what went wrong in it.

    Attributes:
        page: Playwright's page.
        endpoint: The Hub's address.
        problems: Errors of scripts and of the console, dialogs, and requests to other servers.
        refused: Addresses that may answer with an error.
    """

    page: object
    endpoint: str
    problems: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def __post_init__(self):
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        self.page.on("dialog", self._dismiss)
        self.page.on("request", self._watch)

    def open(self, path, *, refused=False):
        """Opens a page of the Hub."""
        address = self.endpoint + path
        if refused:
            self.refused.add(address)
        return self.page.goto(address)

    def sign_in(self, name, password):
        """Signs in as a person does."""
        self.open("/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("main").get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda address: "/login" not in address)

    def _hear(self, message):
        if message.type in ("error", "warning") and message.location.get("url") not in self.refused:
            self.problems.append(f"console: {message.text}")

    def _dismiss(self, dialog):
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _watch(self, request):
        if urlsplit(request.url).netloc != urlsplit(self.endpoint).netloc:
            self.problems.append(f"request: {request.url}")


@pytest.fixture(scope="module")
def chromium():
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("There is no Chromium on this machine: `apt-get install chromium` adds it.")
    with sync_playwright() as playwright:
        # The sandbox needs rights that containers often lack; the pages are our own.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def hub(tmp_path):
    opened = Hub.open(Settings(tmp_path / "hub-data"))
    yield opened
    opened.close()


@pytest.fixture
def endpoint(hub):
    with served(create_app(hub)) as address:
        yield address


@pytest.fixture
def open_window(chromium, endpoint):
    """Opens windows of a kind; at the end nothing must have gone wrong in any of them."""
    windows = []

    def open_one(kind="desktop", **options):
        context = chromium.new_context(**_KINDS_OF_WINDOWS[kind], **options)
        windows.append(Window(context.new_page(), endpoint))
        return windows[-1]

    yield open_one
    for window in windows:
        window.page.context.close()
    assert [problem for window in windows for problem in window.problems] == []


@pytest.fixture
def window(open_window):
    return open_window()
