"""Another Hub's API, asked with bounds.

The requests are those of `HfApi.list_models` and `HfApi.model_info`. That client itself is not used here: it waits
without end for an answer, sleeps five times for as long as a Hub's `Retry-After` says, reads answers of any size, and
follows a next page to any address, the access token included.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Event
from types import TracebackType
from typing import Any
from urllib.parse import quote, urljoin

import httpx2

from rl_hub import clock

PAGE = 100
"""Models in one answer."""

_EXPANDED = ("author", "cardData", "lastModified", "library_name", "private", "sha", "tags")
_FILES = "siblings"
_SECONDS = 15.0  # without a byte
_TOTAL_SECONDS = 120.0  # for a whole answer
_MOST_BYTES = 64 * 2**20
_SHORTEST_PAUSE, _USUAL_PAUSE, _LONGEST_PAUSE = 1.0, 60.0, 6 * 3600.0
_AWAY = {502, 503, 504}
_USED_UP = re.compile(r";\s*r\s*=\s*0\s*;\s*t\s*=\s*([0-9]{1,9})")


class HubProblem(Exception):
    """A Hub does not answer as it should.

    Attributes:
        sentence: What happened, for the operator: it holds no token.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Unreachable(HubProblem):
    """A Hub does not answer at all."""


class RateLimited(HubProblem):
    """A Hub asks to be left alone.

    Attributes:
        seconds: For how long.
    """

    def __init__(self, sentence: str, seconds: float) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class TooLargeAnswer(HubProblem):
    """A Hub sends more than is read."""


class RemoteHub:
    """A Hub somewhere else; a context manager that closes its connections.

    Args:
        address: Without a slash at the end.
        token: An access token; None asks for what anybody may see.
        stopped: Once it is set, nothing more is asked.
    """

    def __init__(self, address: str, token: str | None, stopped: Event | None = None) -> None:
        self.address = address
        headers = {"User-Agent": "rl_leaderboard", **({"Authorization": f"Bearer {token}"} if token else {})}
        # A redirect is not followed: the token is for this address alone.
        self._client = httpx2.Client(headers=headers, timeout=_SECONDS, follow_redirects=False)
        self._stopped = stopped or Event()
        self._pause = 0.0

    def __enter__(self) -> "RemoteHub":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def pages(self, env_id: str, page: int = PAGE) -> Iterator[list[object]]:
        """The models with a tag, those that changed last first, a page at a time, asked for when it is needed.

        Raises:
            HubProblem: If the Hub does not answer in its format.
            Unreachable: If it does not answer.
            RateLimited: If it asks to be left alone.
        """
        address: str | None = f"{self.address}/api/models"
        query: Any = {
            "filter": [env_id],
            "sort": "lastModified",
            "limit": page,
            "expand": [*_EXPANDED, _FILES],
        }
        while address is not None:
            response, content = self._get_page(address, query)
            entries = _parsed(content, self.address)
            if not isinstance(entries, list):
                raise HubProblem(f"{self.address} answers, but not as a Hub does.")
            yield entries
            address, query = self._next(response), None

    def model(self, repo_id: str, revision: str | None = None) -> object | None:
        """What the Hub tells of one model; None if it is not there, or may not be seen.

        Raises:
            HubProblem: If the Hub does not answer in its format.
            Unreachable: If it does not answer.
            RateLimited: If it asks to be left alone.
        """
        path = f"/api/models/{quote(repo_id)}" + (f"/revision/{quote(revision, safe='')}" if revision else "")
        response, content = self._get(f"{self.address}{path}", {"expand": [*_EXPANDED, _FILES]})
        if response.status_code in (401, 403, 404, 410):
            # Hubs hide what is private behind 401; a token that is refused is refused for lists as well.
            return None
        if response.is_redirect:
            return self._moved(response)
        self._check(response)
        return _parsed(content, self.address)

    def _moved(self, response: httpx2.Response) -> object | None:
        """A model that has another name by now."""
        target = self._within(response.headers.get("location", ""), response)
        if target is None:
            return None
        response, content = self._get(target, None)
        if not response.is_success:
            return None
        return _parsed(content, self.address)

    def _get_page(self, address: str, query: Any) -> tuple[httpx2.Response, bytes]:
        try:
            response, content = self._get(address, query)
        except TooLargeAnswer:
            # The names of files are what has no bound.
            url = httpx2.URL(address).copy_merge_params(query or {})
            kept = [(name, value) for name, value in url.params.multi_items() if (name, value) != ("expand", _FILES)]
            response, content = self._get(str(url.copy_with(query=None)), kept)
        self._check(response)
        return response, content

    def _get(self, address: str, query: Any) -> tuple[httpx2.Response, bytes]:
        """An answer, whatever its status; without a query the address's own is kept."""
        if self._stopped.is_set():
            raise Unreachable("The classroom is being stopped.")
        if self._pause:
            raise RateLimited(f"{self.address} allows no more requests for now.", self._pause)
        try:
            with self._client.stream("GET", address, params=query) as response:
                content = self._read(response)
        except httpx2.TimeoutException:
            raise Unreachable(f"{self.address} has not answered for {_SECONDS:g} seconds.") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unreachable(f"{self.address} cannot be reached ({type(error).__name__}).") from None
        if response.status_code == 429:
            seconds = _bounded(_used_up(response.headers) or _retry_after(response.headers) or _USUAL_PAUSE)
            raise RateLimited(f"{self.address} has had too many requests from here.", seconds)
        self._pause = _bounded(wait) if (wait := _used_up(response.headers)) else 0.0
        return response, content

    def _read(self, response: httpx2.Response) -> bytes:
        began = time.monotonic()
        content = bytearray()
        for piece in response.iter_bytes():
            content += piece
            if len(content) > _MOST_BYTES:
                raise TooLargeAnswer(f"{self.address} has sent an answer that is too large.")
            if self._stopped.is_set() or time.monotonic() - began > _TOTAL_SECONDS:
                raise Unreachable(f"{self.address} takes too long for an answer.")
        return bytes(content)

    def _check(self, response: httpx2.Response) -> None:
        if response.status_code in (401, 403):
            raise HubProblem(f"{self.address} refuses the access token ({response.status_code}).")
        if response.status_code in _AWAY:
            raise Unreachable(f"{self.address} is not available for now ({response.status_code}).")
        if not response.is_success:
            raise HubProblem(f"{self.address} answers with the error {response.status_code}.")

    def _next(self, response: httpx2.Response) -> str | None:
        """The address of the next page."""
        url = response.links.get("next", {}).get("url")
        if url is None:
            return None
        target = self._within(url, response)
        if target is None:
            raise HubProblem(f"{self.address} names a next page that lies elsewhere.")
        return target

    def _within(self, url: str, response: httpx2.Response) -> str | None:
        """An absolute address, if it is one of this Hub."""
        target = urljoin(str(response.url), url)
        return target if target.startswith(f"{self.address}/api/") else None


def _parsed(content: bytes, address: str) -> object:
    try:
        parsed: object = json.loads(content)
    except (ValueError, RecursionError):
        raise HubProblem(f"{address} answers, but not as a Hub does.") from None
    return parsed


def _used_up(headers: Mapping[str, str]) -> float | None:
    """Seconds until there are requests left again, by `RateLimit: "api";r=0;t=55`; None if there are some left."""
    found = _USED_UP.search(headers.get("ratelimit", ""))
    return float(found[1]) if found else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, by a header that has a number of them or a date."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (_aware(moment) - clock.now()).total_seconds()


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _bounded(seconds: float) -> float:
    return min(max(seconds, _SHORTEST_PAUSE), _LONGEST_PAUSE)
