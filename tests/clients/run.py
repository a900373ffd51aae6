"""Running the operations in a client's environment."""

import json
import os
import subprocess
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from clients.build import python_of
from clients.server import RunningHub

TESTS = Path(__file__).resolve().parents[1]
_SECONDS = 600


@dataclass(frozen=True)
class Outcome:
    """What became of an operation.

    Attributes:
        operation: Its name.
        error: What went wrong; empty if nothing did.
        transport: How its files travelled: "regular", "LFS" or "Xet".
    """

    operation: str
    error: str
    transport: str


def run_operations(hub: RunningHub, version: str, folder: Path, *, xet: bool) -> list[Outcome]:
    """Runs all operations with a client, in a process of its environment.

    Args:
        hub: Whom the client talks to.
        version: Which client; its environment has to be built.
        folder: An empty folder for files and the client's cache.
        xet: Whether the client may use Xet; False sets HF_HUB_DISABLE_XET.

    Raises:
        RuntimeError: If the operations did not come to their end.
    """
    user = f"v{version.replace('.', '-')}-{'xet' if xet else 'lfs'}"
    context = {"endpoint": hub.endpoint, "folder": str(folder / "files"), **hub.add_people(user)}
    log = folder / "client.log"
    results = []
    with log.open("wb") as errors, _started(version, context, _environment(hub, folder, xet), errors) as process:
        watchdog = threading.Timer(_SECONDS, process.kill)
        watchdog.start()
        try:
            for line in process.stdout:
                message = json.loads(line)
                if "approve" in message:
                    hub.approve(user, message["approve"])
                else:
                    results.append(message)
        finally:
            watchdog.cancel()
    if process.returncode != 0:
        raise RuntimeError(f"the operations of {version} broke off: {log.read_text('utf-8', 'replace')[-2000:]}")
    requests = list(hub.requests())
    return [
        Outcome(result["name"], result["error"], transport(requests, f"{user}/{result['name']}")) for result in results
    ]


def transport(requests: Iterable[tuple[str, str]], repository: str) -> str:
    """How files came into a repository, from the requests that the Hub answered."""
    paths = {path for _, path in requests if f"{repository}/" in path or f"{repository}.git/" in path}
    if any("/xet-write-token/" in path for path in paths):
        return "Xet"
    return "LFS" if any(path.endswith("/info/lfs/objects/batch") for path in paths) else "regular"


def _started(version: str, context: dict[str, object], environment: dict[str, str], errors) -> subprocess.Popen:
    return subprocess.Popen(
        [str(python_of(version)), "-m", "clients.operations", json.dumps(context)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        # Without a terminal: a client that asks for a password must not get one from whoever runs the tests.
        start_new_session=True,
    )


def _environment(hub: RunningHub, folder: Path, xet: bool) -> dict[str, str]:
    """This environment without what others have set for Python or the client, and with no way out of this machine."""
    foreign = ("HF_", "HUGGING", "PYTHON", "VIRTUAL_ENV", "XDG_", "COVERAGE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    # A proxy that does not exist: a client that asks huggingface.co fails the same way with and without a network.
    outside = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    proxies = outside | {"NO_PROXY": "localhost,127.0.0.1"}
    own = {
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(folder / "home"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "PYTHONPATH": str(TESTS),
        "PYTHONUTF8": "1",
        **proxies,
        **{name.lower(): value for name, value in proxies.items()},
    }
    return kept | own | ({} if xet else {"HF_HUB_DISABLE_XET": "1"})
