"""The classroom in a process of its own, started as an operator starts it."""

import contextlib
import re
import sys

from hub_process import launch

_ADDRESS = re.compile(r"The classroom is at (\S+)")


def start(data, *options, errors=None, log_level="ERROR", **environment):
    """Starts `python -m rl_leaderboard serve` on a data folder; the caller ends it.

    Settings are given by their names: `start(data, RL_LEADERBOARD_HUB="no")`.
    """
    command = [sys.executable, "-m", "rl_leaderboard", "serve", "--port", "0", "--hub-port", "0"]
    settings = {"RL_LEADERBOARD_DATA": str(data), **environment}
    return launch([*command, "--log-level", log_level, *options], _ADDRESS, settings, errors)


@contextlib.contextmanager
def serving(data, *options, **settings):
    """A classroom for the length of a `with` block."""
    classroom = start(data, *options, **settings)
    try:
        yield classroom
    finally:
        if classroom.process.poll() is None:
            classroom.stop()
