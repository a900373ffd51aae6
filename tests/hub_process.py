"""The Hub in a process of its own, started as an operator starts it."""

import contextlib
import os
import queue
import re
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

_ADDRESS = re.compile(r"HF_ENDPOINT=(\S+)")
_PATIENCE = 60


@dataclass
class HubProcess:
    """A Hub, or a classroom, that is being served.

    Attributes:
        process: The server's process.
        endpoint: Its address.
        greeting: What it printed until it was ready.
    """

    process: subprocess.Popen
    endpoint: str
    greeting: str

    def peak_memory(self) -> int:
        """The most bytes of memory that the server has had (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024

    def kill(self):
        """Ends the server without warning."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Asks the server to stop, and waits until it has; returns its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=_PATIENCE)


def start(data, *options, port=0, environment=None, log_level="ERROR", errors=None):
    """Starts `python -m rl_hub serve` on a data folder and waits until it says where it is; the caller ends it."""
    command = [sys.executable, "-m", "rl_hub", "--data", str(data), "serve", "--port", str(port), *options]
    process, greeting = launch([*command, "--log-level", log_level], _ADDRESS, environment, errors)
    return HubProcess(process, _ADDRESS.search(greeting).group(1), greeting)


def launch(command, until, environment=None, errors=None):
    """Starts a server and waits until it prints a line with `until` in it; returns the process and what it printed."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
    )
    lines = queue.Queue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    greeting = ""
    while True:
        line = lines.get(timeout=_PATIENCE)
        if line is None:
            raise RuntimeError(f"The server ended with exit code {process.wait()}: {greeting}")
        greeting += line
        if until.search(line):
            return process, greeting


def _read(process, lines):
    with process.stdout:
        for line in process.stdout:
            lines.put(line)
    lines.put(None)


@contextlib.contextmanager
def serving(data, *options, **arguments):
    """A Hub for the length of a `with` block."""
    hub = start(data, *options, **arguments)
    try:
        yield hub
    finally:
        if hub.process.poll() is None:
            hub.stop()
