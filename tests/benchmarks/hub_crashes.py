"""A Hub that is killed without warning while real clients push to it: nothing that was acknowledged is lost.

What is looked at stands in `tests/hub_kills.py`.
"""

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .campaigns import run_script

KILLS = 200
_SCRIPT = Path(__file__).parents[1] / "hub_kills.py"
# The client goes on by itself for minutes; here a try that fails is over, and what it says is looked at.
_CLIENT = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_VERBOSITY": "error",
    "HF_XET_CLIENT_RETRY_MAX_ATTEMPTS": "1",
    "HF_XET_CLIENT_RETRY_BASE_DELAY": "10ms",
}
_SECONDS_A_KILL = 20


def measure() -> Iterator[str]:
    """What has happened.

    Raises:
        RuntimeError: If something was lost or damaged, or a retry failed; what was seen is yielded before.
    """
    finished = campaign(KILLS, random.randrange(2**32))
    yield from finished.stdout.splitlines()
    if finished.returncode:
        raise RuntimeError(f"the Hub does not bear to be killed: {finished.stderr}")


def campaign(kills: int, seed: int) -> subprocess.CompletedProcess:
    """Kills a Hub so many times."""
    return run_script(_SCRIPT, kills, seed, seconds=60 + _SECONDS_A_KILL * kills, **_CLIENT)
