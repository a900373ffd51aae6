"""A virtual screen appears only where there is none, and says what to install where it cannot."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rl_units import display
from rl_units.errors import DisplayError

# What pyvirtualdisplay asks of an X server: name the flag in its help, then write the number of its screen.
XVFB = """#!{python}
import os, sys, time
if "-help" in sys.argv:
    print("-displayfd fd", file=sys.stderr)
else:
    os.write(int(sys.argv[sys.argv.index("-displayfd") + 1]), b"123\\n")
    time.sleep(60)
"""


@pytest.fixture
def no_screen(monkeypatch, tmp_path):
    """Linux without a screen, and only the test's own programs."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


def install_xvfb(folder, script):
    program = folder / "Xvfb"
    program.write_text(script.format(python=sys.executable))
    program.chmod(0o755)


@pytest.mark.parametrize("variable", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_existing_screen_is_used(no_screen, monkeypatch, variable):
    monkeypatch.setenv(variable, ":7")
    with display.virtual_display():
        assert os.environ[variable] == ":7"


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_always_have_a_screen(no_screen, monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    with display.virtual_display():
        assert "DISPLAY" not in os.environ


def test_missing_xvfb_says_what_to_install_and_which_flag_avoids_it(no_screen):
    with pytest.raises(DisplayError, match=r"apt install xvfb.*--no-render"), display.virtual_display():
        pass


def test_xvfb_is_the_screen_inside_and_gone_after(no_screen, tmp_path):
    install_xvfb(tmp_path, XVFB)
    with display.virtual_display():
        assert os.environ["DISPLAY"] == ":123"
    assert "DISPLAY" not in os.environ


def test_xvfb_that_does_not_start_is_a_sentence(no_screen, tmp_path):
    install_xvfb(tmp_path, "#!{python}\nimport sys\nsys.exit('-displayfd')\n")
    with pytest.raises(DisplayError, match="does not start"), display.virtual_display():
        pass


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs a real Xvfb: apt install xvfb")
def test_window_opens_on_a_real_xvfb():
    code = (
        "from rl_units.display import virtual_display\n"
        "with virtual_display():\n"
        "    import pygame\n"
        "    pygame.display.init()\n"
        "    pygame.display.set_mode((200, 100))\n"
        "    print(pygame.display.get_driver(), pygame.display.get_desktop_sizes())\n"
        "    pygame.quit()\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    finished = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    assert "x11 [(1280, 1024)]" in finished.stdout


@pytest.mark.parametrize(("cards", "driver"), [([], "dummy"), (["pcmC0D0p"], None)])
def test_sound_is_a_dummy_only_where_there_is_no_card(no_screen, monkeypatch, cards, driver):
    monkeypatch.setattr(Path, "glob", lambda _folder, _pattern: iter(cards))
    # Set and deleted, so that the variable is taken back after the test whatever it sets.
    monkeypatch.setenv("SDL_AUDIODRIVER", "")
    monkeypatch.delenv("SDL_AUDIODRIVER")
    display.silence_missing_sound_card()
    assert os.environ.get("SDL_AUDIODRIVER") == driver
