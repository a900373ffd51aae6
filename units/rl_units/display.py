"""A screen for environments that open a window, on machines that have none."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from rl_units.errors import DisplayError

_SIZE = (1280, 1024)  # pixels; larger than the window of any environment of the course


def has_screen() -> bool:
    """Whether windows can open: always on macOS and Windows, on Linux where an X or Wayland server is named."""
    return not sys.platform.startswith("linux") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextlib.contextmanager
def virtual_display() -> Iterator[None]:
    """Provides an invisible screen where there is none; where there is one, does nothing.

    Recording a replay needs no screen; only a window does (`render_mode="human"`).

    Raises:
        DisplayError: If there is neither a screen nor Xvfb, or Xvfb does not start.
    """
    if has_screen():
        yield
        return
    if shutil.which("Xvfb") is None:
        raise DisplayError(
            "This machine has no screen and no Xvfb to stand in for one. Install it with `sudo apt install xvfb`, or "
            "play without a window: --no-render. python -m rl_units record_video films a game without a screen."
        )
    from pyvirtualdisplay.abstractdisplay import XStartError, XStartTimeoutError
    from pyvirtualdisplay.display import Display  # late: most programs never need it

    try:
        screen = Display(visible=False, size=_SIZE).start()
    except (XStartError, XStartTimeoutError, OSError) as error:
        raise DisplayError(
            f"Xvfb is installed but does not start: {error}. Play without a window: --no-render."
        ) from error
    try:
        yield
    finally:
        screen.stop()


def silence_missing_sound_card() -> None:
    """Gives SDL a dummy sound device where Linux has none; otherwise ALSA prints a page of errors for every game."""
    if sys.platform.startswith("linux") and not any(Path("/dev/snd").glob("pcm*")):
        os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
