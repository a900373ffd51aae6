"""`python -m rl_leaderboard serve` in a process of its own, as an operator starts it."""

import contextlib
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hub_process import launch

_PAGES = re.compile(r"The classroom is at (\S+)")
_HUB = re.compile(r"HF_ENDPOINT=(\S+)")
_PATIENCE = 60


@dataclass
class ClassroomProcess:
    """A classroom that is being served.

    Attributes:
        process: The server's process.
        address: Of its pages.
        endpoint: Of its Hub; empty without one.
        greeting: What it printed until it was ready.
    """

    process: subprocess.Popen
    address: str
    endpoint: str
    greeting: str

    @property
    def memory(self) -> int:
        """The bytes of memory that it holds (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def kill(self):
        """Ends the server without warning."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Asks the server to stop, and waits until it has; returns its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=_PATIENCE)


def start(data, *, port=0, hub_port=0, hub=True, log_level="ERROR", errors=None, **settings):
    """Serves the classroom of a data folder and waits until it says where it is; the caller ends it.

    `settings` are those of the environment, without their prefix: `start(data, TEACHERS="grace")`.
    """
    command = [sys.executable, "-m", "rl_leaderboard", "serve", "--port", str(port), "--hub-port", str(hub_port)]
    given = {"DATA": str(data), "HUB": "yes" if hub else "no", **settings}
    environment = {f"RL_LEADERBOARD_{name}": value for name, value in given.items()}
    last = _HUB if hub else _PAGES
    process, greeting = launch([*command, "--log-level", log_level], last, environment, errors)
    endpoint = _HUB.search(greeting)
    return ClassroomProcess(process, _PAGES.search(greeting).group(1), endpoint.group(1) if endpoint else "", greeting)


@contextlib.contextmanager
def serving(data, **arguments):
    """A classroom for the length of a `with` block."""
    classroom = start(data, **arguments)
    try:
        yield classroom
    finally:
        if classroom.process.poll() is None:
            classroom.stop()
