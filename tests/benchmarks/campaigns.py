"""Campaigns of kills, each in a process of its own that ends with everything it has started."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path


def run_script(script: Path, *arguments: object, seconds: float, **environment: str) -> subprocess.CompletedProcess:
    """Runs a script with a home of its own for the Hub's client; it and its children are killed when the time is up.

    Raises:
        TimeoutExpired: If the time was not enough.
    """
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, str(script), *map(str, arguments)]
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment, "HF_HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            output, errors = process.communicate(timeout=seconds)
        finally:
            # If it did not end by itself, neither did its servers.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return subprocess.CompletedProcess(command, process.returncode, output, errors)
