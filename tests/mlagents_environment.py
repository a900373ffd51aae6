"""Where ML-Agents is installed, for the tests that need the real one.

    @needs_mlagents
    def test_...():
        done = run_with_mlagents("-c", "import mlagents_envs")

`MLAGENTS_PYTHON` names its interpreter; else it is that of `.venv-mlagents` in the repository.
`python -m mlagents_bridge install --python ...` puts ML-Agents there.
"""

import os
import socket
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_SECONDS = 300


def mlagents_python() -> Path | None:
    """The interpreter that has ML-Agents, None if there is none."""
    named = os.environ.get("MLAGENTS_PYTHON")
    python = Path(named) if named else ROOT / ".venv-mlagents" / "bin" / "python"
    return python if python.is_file() else None


needs_mlagents = pytest.mark.skipif(
    mlagents_python() is None,
    reason="ML-Agents is in no environment here: MLAGENTS_PYTHON is not set and there is no .venv-mlagents",
)


def mlagents_variables(**others: str) -> dict[str, str]:
    """Environment variables for processes there: they import the packages of this checkout."""
    paths = os.pathsep.join(str(ROOT / name) for name in ("envs", "units"))
    return {**os.environ, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", **others}


def run_with_mlagents(
    *arguments: str | Path, cwd: Path | None = None, seconds: float = _SECONDS, **variables: str
) -> subprocess.CompletedProcess:
    """Runs that interpreter until it ends; its output is text."""
    return subprocess.run(
        [str(mlagents_python()), *map(str, arguments)],
        cwd=cwd,
        env=mlagents_variables(**variables),
        capture_output=True,
        text=True,
        timeout=seconds,
    )


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
