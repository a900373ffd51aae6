"""Files of another Hub, over the network, by a process that does nothing else.

`python -m rl_leaderboard.judge.fetching.remote ADDRESS REPOSITORY COMMIT FOLDER`, with an access token in the
environment. It talks to the Hub that the operator has named and to nobody else, but for the hosts that this Hub keeps
large files on.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from rl_leaderboard.judge.failures import JudgeError, NotNow, Refused
from rl_leaderboard.judge.fetching.choice import MOST_BYTES, choose

if TYPE_CHECKING:
    import httpx2

_TOKEN = "JUDGE_SOURCE_TOKEN"  # noqa: S105  a variable's name
# huggingface.co keeps large files on hosts of these domains.
_STORES = {"huggingface.co": (".hf.co", ".huggingface.co")}
_MOST_REDIRECTS = 4
_SECONDS = 20.0  # without a byte
_TOTAL_SECONDS = 300.0
_LISTING_BYTES = 8 * 2**20
_GONE = (401, 403, 404, 410)


def fetch(address: str, token: str | None, repo_id: str, sha: str, folder: Path) -> None:
    """Downloads an agent's files in a process of its own.

    Args:
        address: The Hub's, without a slash at the end.
        token: An access token for it.
        repo_id: owner/name.
        sha: The commit.
        folder: An empty folder.

    Raises:
        Refused: If the commit is gone, or holds no agent that may be loaded.
        NotNow: If the Hub does not answer as it should.
    """
    command = [sys.executable, "-m", __spec__.name, address, repo_id, sha, str(folder)]
    environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "SSL_CERT_FILE") if name in os.environ}
    environment |= {_TOKEN: token} if token else {}
    try:
        finished = subprocess.run(  # noqa: S603  this module; names are arguments and never part of a shell's line
            command, env=environment, capture_output=True, timeout=_TOTAL_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise NotNow("slow-hub", f"{address} took more than {_TOTAL_SECONDS:g} seconds for the files.") from None
    if finished.returncode != 0:
        raise _failure(finished.stdout, address)


def _failure(output: bytes, address: str) -> JudgeError:
    try:
        told = json.loads(output)
        kind: type[JudgeError] = Refused if told["is_final"] else NotNow
        return kind(str(told["reason"]), str(told["sentence"]))
    except (ValueError, KeyError, TypeError):
        return NotNow("no-files", f"The files could not be fetched from {address}.")


def main(arguments: list[str]) -> int:
    """Downloads; tells why not on standard output, as JSON."""
    address, repo_id, sha, folder = arguments
    try:
        _download(address, os.environ.get(_TOKEN), repo_id, sha, Path(folder))
    except JudgeError as error:
        told = {"reason": error.reason, "sentence": error.sentence, "is_final": isinstance(error, Refused)}
        sys.stdout.write(json.dumps(told))
        return 1
    return 0


def _download(address: str, token: str | None, repo_id: str, sha: str, folder: Path) -> None:
    import httpx2

    with httpx2.Client(timeout=_SECONDS, follow_redirects=False, headers={"User-Agent": "rl_leaderboard"}) as client:
        hub = _Hub(client, address, token)
        listing = f"{address}/api/models/{quote(repo_id)}/revision/{quote(sha, safe='')}?blobs=true"
        files = _files(b"".join(hub.read(listing, _LISTING_BYTES)), address)
        room = MOST_BYTES
        for path, _ in choose(files):
            with (folder / path).open("xb") as file:
                for piece in hub.read(f"{address}/{quote(repo_id)}/resolve/{quote(sha, safe='')}/{quote(path)}", room):
                    room -= len(piece)
                    file.write(piece)


def _files(content: bytes, address: str) -> list[tuple[str, int]]:
    try:
        siblings = json.loads(content)["siblings"]
        return [(str(entry["rfilename"]), int(entry.get("size") or 0)) for entry in siblings]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NotNow("odd-hub", f"{address} answers, but not as a Hub does.") from None


class _Hub:
    """A Hub, and where it keeps large files."""

    def __init__(self, client: "httpx2.Client", address: str, token: str | None) -> None:
        self._client = client
        self._address = address
        self._token = token

    def read(self, url: str, most: int) -> Iterator[bytes]:
        """The content at an address of the Hub, wherever it leads to among what is allowed."""
        import httpx2

        for _ in range(_MOST_REDIRECTS):
            headers = {"Authorization": f"Bearer {self._token}"} if self._token and self._is_home(url) else {}
            try:
                with self._client.stream("GET", url, headers=headers) as response:
                    if response.is_redirect:
                        url = self._allowed(urljoin(url, response.headers.get("location", "")))
                        continue
                    self._check(response.status_code)
                    yield from _bounded(response.iter_bytes(), most)
                    return
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise NotNow("no-hub", f"{self._address} cannot be reached ({type(error).__name__}).") from None
        raise NotNow("odd-hub", f"{self._address} leads from one address to the next.")

    def _is_home(self, url: str) -> bool:
        mine, other = urlsplit(self._address), urlsplit(url)
        return (mine.scheme, mine.netloc) == (other.scheme, other.netloc)

    def _allowed(self, url: str) -> str:
        parts = urlsplit(url)
        stores = _STORES.get(urlsplit(self._address).hostname or "", ())
        is_store = parts.scheme == "https" and (parts.hostname or "").endswith(stores) if stores else False
        if self._is_home(url) or is_store:
            return url
        raise NotNow("odd-hub", f"{self._address} leads to a host that files are not fetched from.")

    def _check(self, status: int) -> None:
        if status in _GONE:
            raise Refused("gone", "The repository is gone or private, or this commit is not in it any more.")
        if status != 200:
            raise NotNow("odd-hub", f"{self._address} answers with the error {status}.")


def _bounded(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    for piece in pieces:
        most -= len(piece)
        if most < 0:
            raise Refused("too-large", f"The agent's files have more than {MOST_BYTES:,} bytes together.")
        yield piece


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
