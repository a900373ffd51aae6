"""Requests to a Hub: those that fail in passing are tried again, all other failures become a sentence."""

import ipaddress
import json
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import (
    FileMetadataError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from rl_units.errors import HubError

DEFAULT_ENDPOINT = "https://huggingface.co"

ATTEMPTS = 4
"""Requests in all; with the waits of 1, 2 and 4 seconds between them a restart of a small server is outlived."""

LONGEST_WAIT = 60.0
"""Seconds. A Hub that asks for a longer pause gets one from the person, not from a process that seems to hang."""

_TRANSIENT_STATUS = frozenset({408, 429, 500, 502, 503, 504})
_TRANSIENT_ERRORS = (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError)
# Everything that the client raises for a failed request: an invalid card is a ValueError, the answer of something
# that is no Hub may lack a key.
_FAILURES = (httpx2.HTTPError, OfflineModeIsEnabled, LocalEntryNotFoundError, FileMetadataError, ValueError, KeyError)

_STATUS_SENTENCES = {
    400: "{endpoint} refuses the request for {repo_id} as malformed: {said}",
    401: "{endpoint} does not accept your token. Make a new one with the role 'write' at {endpoint}/settings/tokens "
    "and log in again: hf auth login. Where HF_TOKEN is set, it comes first: put the new token there",
    403: "{endpoint} does not let you write to {repo_id}: {said} Check that -orga is your own name or an organisation "
    "you may write to, and that your token has the role 'write' ({endpoint}/settings/tokens).",
    404: "{endpoint} does not know {repo_id}: {said} Check HF_ENDPOINT, -orga and --repo-name.",
    409: "{endpoint} is busy with another change to {repo_id}: {said} Run the same command again in a moment.",
    412: "Somebody else has changed {repo_id} on {endpoint} at the same moment. Run the same command again.",
    413: "{endpoint} says that this is too large, or that the storage of {repo_id} is used up: {said} Remove what you "
    "no longer need there, or leave the replay out with --no-render.",
    429: "{endpoint} has had too many requests from you: {said} Wait {wait} and run the same command again.",
}

T = TypeVar("T")


@dataclass(frozen=True)
class HubClient:
    """A Hub and the token for it, if there is one.

    Attributes:
        endpoint: Address, without a slash at its end.
        token: Never shown.
        report: Takes a line for the person, for example `print`.
    """

    endpoint: str
    token: str | None = field(repr=False)
    report: Callable[[str], None]

    @property
    def api(self) -> HfApi:
        """The ordinary client for this Hub."""
        return HfApi(endpoint=self.endpoint, token=self.token)

    def attempt(self, call: Callable[[], T], *, repo_id: str = "", attempts: int = ATTEMPTS, afterwards: str = "") -> T:
        """Makes a request, again if it failed in passing.

        Args:
            call: Makes it.
            repo_id: The repository it is about, for messages.
            attempts: How often it is made at most.
            afterwards: What the person should know when it failed for good; ends the message.

        Returns:
            What `call` returns.

        Raises:
            HubError: If the Hub refuses, cannot be reached, or goes on failing.
        """
        retrying = Retrying(
            retry=retry_if_exception(_is_transient),
            stop=stop_after_attempt(attempts),
            wait=_seconds_to_wait,
            before_sleep=lambda state: self.report(self._describe_retry(state)),
            reraise=True,
        )
        try:
            return retrying(call)
        except _FAILURES as error:
            sentence = self._without_token(_describe(_root_cause(error), self.endpoint, repo_id or "the account"))
            raise HubError(f"{sentence} {afterwards}".rstrip()) from error

    def _describe_retry(self, state: RetryCallState) -> str:
        error = state.outcome.exception() if state.outcome else None
        status = _status(error)
        problem = f"{self.endpoint} answers with error {status}" if status else f"{self.endpoint} does not answer"
        return f"{problem}; trying again in {state.upcoming_sleep:.0f} s"

    def _without_token(self, text: str) -> str:
        """A server may repeat the request's header in its answer; the token goes on no screen and in no log."""
        return text.replace(self.token, "<token>") if self.token else text


def open_hub(report: Callable[[str], None]) -> HubClient:
    """The Hub that `HF_ENDPOINT` names, huggingface.co if it names none, with the person's token.

    The variable is read now, where the client library reads it once, when it is imported.

    Args:
        report: Takes a line for the person.

    Raises:
        HubError: If `HF_ENDPOINT` is not a web address, or the token would travel there for others to read.
    """
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or DEFAULT_ENDPOINT
    if not endpoint.startswith(("http://", "https://")):
        raise HubError(f"HF_ENDPOINT is {endpoint!r}, which is no web address; it must start with https:// or http://.")
    token = get_token()
    if token and endpoint.startswith("http://") and not is_nearby(endpoint):
        raise HubError(
            f"{endpoint} is not encrypted, so that everybody on the way could read your token; it is not sent there. "
            "Set HF_ENDPOINT to an address with https://, or take the token away first: hf auth logout"
        )
    return HubClient(endpoint, token, report)


def said(error: BaseException) -> str:
    """What the server said, as one line of printable text that ends with a full stop."""
    text = getattr(error, "server_message", None) or str(error)
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())[:300]
    return line if line.endswith((".", "!", "?")) else f"{line}."


def is_nearby(endpoint: str) -> bool:
    """Whether an address is of this machine or its own network, such as a Hub in the classroom."""
    try:
        found = socket.getaddrinfo(urlsplit(endpoint).hostname, None)
    except (OSError, ValueError):
        return True  # nobody is there; the first request says so
    return not any(ipaddress.ip_address(entry[4][0]).is_global for entry in found)


def _root_cause(error: BaseException) -> BaseException:
    """The failed request behind the client's "not in the cache either"."""
    while isinstance(error, LocalEntryNotFoundError) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _status(error: BaseException | None) -> int | None:
    if error is None:
        return None
    cause = _root_cause(error)
    return cause.response.status_code if isinstance(cause, HfHubHTTPError) else None


def _is_transient(error: BaseException) -> bool:
    if _status(error) in _TRANSIENT_STATUS:
        return _asked_pause(error) <= LONGEST_WAIT
    return isinstance(_root_cause(error), _TRANSIENT_ERRORS)


def _asked_pause(error: BaseException | None) -> float:
    """Seconds of the Retry-After header; 0 without one."""
    cause = None if error is None else _root_cause(error)
    header = cause.response.headers.get("Retry-After", "") if isinstance(cause, HfHubHTTPError) else ""
    return float(header) if header.isascii() and header.isdigit() else 0.0


def _seconds_to_wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return max(float(wait_exponential(multiplier=1, max=8)(state)), _asked_pause(error))


def _describe(error: BaseException, endpoint: str, repo_id: str) -> str:
    status = _status(error)
    if isinstance(error, HFValidationError):
        return f"{repo_id} is not a name that a repository can have: {said(error)}"
    if isinstance(error, RevisionNotFoundError):
        return f"{repo_id} on {endpoint} has no such revision. Check --revision."
    if isinstance(error, RemoteEntryNotFoundError):
        return f"A file has disappeared from {repo_id} on {endpoint}. Run the same command again."
    if isinstance(error, RepositoryNotFoundError):
        return (
            f"{endpoint} has no repository {repo_id}, or you may not see it. Check -orga and --repo-name; "
            "for a private repository log in first: hf auth login"
        )
    if status in _STATUS_SENTENCES:
        pause = _asked_pause(error)
        wait = f"{pause:.0f} seconds" if pause else "a few minutes"
        return _STATUS_SENTENCES[status].format(endpoint=endpoint, repo_id=repo_id, said=said(error), wait=wait)
    if status is not None:
        return f"{endpoint} is in trouble (error {status}): {said(error)} Try again in a few minutes."
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set, so nothing can be sent or fetched. Unset it and run the same command again."
    if isinstance(error, KeyError | json.JSONDecodeError):
        return f"{endpoint} does not answer as a Hub does. Check HF_ENDPOINT."
    if isinstance(error, httpx2.HTTPError):
        return (
            f"{endpoint} cannot be reached: {said(error)} Check the network and HF_ENDPOINT; if it is a Hub of your "
            "own, check that it is running."
        )
    return f"{endpoint} refuses what was sent for {repo_id}: {said(error)}"
