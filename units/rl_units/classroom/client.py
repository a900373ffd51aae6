"""Requests to a classroom; every failure becomes a sentence."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urljoin

import httpx2
from huggingface_hub import get_token

from rl_units.classroom import answers
from rl_units.classroom.refusals import describe_refusal, no_classroom
from rl_units.course import load_course
from rl_units.errors import ClassroomError
from rl_units.hub.client import is_nearby, said

DEFAULT_ADDRESS = "http://localhost:7880"

TIMEOUT = 20.0
"""Seconds without a byte, after which a classroom counts as not answering."""

PAGE = 100
"""Largest number of rows that one request asks for."""

T = TypeVar("T")


@dataclass(frozen=True)
class Classroom:
    """A classroom and the student's token for it, if there is one.

    Attributes:
        address: Without a slash at its end.
        token: Never shown.
    """

    address: str
    token: str | None = field(repr=False)

    def submit(self, repo_id: str, revision: str | None) -> answers.Receipt:
        """Asks the classroom to read a repository now.

        Args:
            repo_id: `<namespace>/<name>`.
            revision: Branch, tag or commit; None leaves it to the classroom.

        Raises:
            ClassroomError: If there is no token, the classroom refuses, or cannot be reached.
        """
        self._require_token()
        document = self._request("POST", "/submissions", body={"repo_id": repo_id, "revision": revision})
        return self._row(answers.Receipt, document)

    def submissions(self, limit: int) -> tuple[answers.Submission, ...]:
        """The student's own submissions, at most `limit`, newest first; raises as `submit`."""
        self._require_token()
        _, items = self._pages("/me/submissions", {}, limit)
        return tuple(self._row(answers.Submission, item) for item in items)

    def boards(self) -> tuple[answers.BoardSummary, ...]:
        """All boards.

        Raises:
            ClassroomError: If the classroom refuses, or cannot be reached.
        """
        items = self._read(_items, self._request("GET", "/boards"))
        return tuple(self._row(answers.BoardSummary, item) for item in items)

    def board(self, name: str, limit: int, search: str = "") -> answers.Board:
        """A board, its first `limit` rows.

        Args:
            name: Id of the assignment, of its environment, or an alias of that.
            limit: Number of rows.
            search: Only rows of this student or agent.

        Raises:
            ClassroomError: If there is no such board, the classroom refuses, or cannot be reached.
        """
        path = f"/boards/{quote(self._board_id(name), safe='')}"
        first, items = self._pages(path, {"search": search} if search else {}, limit)
        places = tuple(self._row(answers.Place, item) for item in items)
        return self._read(lambda document: answers.read_board(document, places), first)

    def page(self, url: str) -> str:
        """The full address of a page that an answer names, which may leave the classroom's own address out."""
        return urljoin(f"{self.address}/", url)

    def _board_id(self, name: str) -> str:
        boards = self.boards()
        assignment = load_course().assignment_for(name)
        names = {name} if assignment is None else {name, assignment.env_id}
        for board in boards:
            if {board.id, board.env_id} & names:
                return board.id
        there = ", ".join(f"{board.id} ({board.env_id})" for board in boards) or "none yet"
        raise ClassroomError(f"{self.address} has no board for {name}. Its boards: {there}.")

    def _require_token(self) -> None:
        if not self.token:
            raise ClassroomError(
                f"You are not signed in, so {self.address} cannot know whose work this is. Log in to the Hub of your "
                "class: hf auth login, or put a token into RL_CLASSROOM_TOKEN."
            )

    def _pages(self, path: str, parameters: Mapping[str, str], limit: int) -> tuple[Any, list[Any]]:
        """The first page's document, and up to `limit` items of it and of the pages after it."""
        first = document = self._request("GET", path, {**parameters, "limit": str(min(limit, PAGE))})
        items = self._read(_items, document)
        while len(items) < limit and (cursor := self._read(_next, document)):
            page = {"limit": str(min(limit - len(items), PAGE)), "cursor": cursor}
            document = self._request("GET", path, {**parameters, **page})
            more = self._read(_items, document)
            if not more:  # a cursor that leads nowhere must not lead there for ever
                break
            items = items + more
        return first, items[:limit]

    def _request(
        self, method: str, path: str, parameters: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            # A redirect is not followed: the token is for this address alone.
            response = httpx2.request(
                method,
                f"{self.address}/api/v1{path}",
                params=parameters,
                json=body,
                headers=headers,
                timeout=TIMEOUT,
                follow_redirects=False,
            )
        except httpx2.TimeoutException as error:
            raise ClassroomError(
                f"{self.address} has not answered within {TIMEOUT:.0f} seconds. Try again in a few minutes."
            ) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ClassroomError(
                f"{self.address} cannot be reached: {said(error)} Check the network and the address (--classroom or "
                "RL_CLASSROOM), and that the classroom is running."
            ) from error
        if not response.is_success:
            raise ClassroomError(describe_refusal(response, self.address, self.token))
        return self._read(answers.parse, response.content)

    def _row(self, kind: type[answers.Row], document: Any) -> answers.Row:
        return self._read(lambda entry: answers.read_row(kind, entry), document)

    def _read(self, reader: Callable[[Any], T], document: Any) -> T:
        try:
            return reader(document)
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise ClassroomError(no_classroom(self.address)) from error


def open_classroom(address: str | None) -> Classroom:
    """The classroom at an address, with the student's token.

    The token is RL_CLASSROOM_TOKEN, else the one for the Hub: HF_TOKEN, or what `hf auth login` has saved.

    Args:
        address: Where; if None, what RL_CLASSROOM names, or a classroom on this machine.

    Raises:
        ClassroomError: If that is no web address, the token is none, or it would travel there for others to read.
    """
    address = (address or os.environ.get("RL_CLASSROOM", "").strip() or DEFAULT_ADDRESS).rstrip("/")
    if not address.startswith(("http://", "https://")):
        raise ClassroomError(
            f"The classroom's address is {address!r}, which is no web address; it must start with https:// or http://."
        )
    token = os.environ.get("RL_CLASSROOM_TOKEN", "").strip() or get_token()
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise ClassroomError("What RL_CLASSROOM_TOKEN or HF_TOKEN holds is no token. Copy it again, without a space.")
    if token and address.startswith("http://") and not is_nearby(address):
        raise ClassroomError(
            f"{address} is not encrypted, so that everybody on the way could read your token; it is not sent there. "
            "Use an address with https://."
        )
    return Classroom(address, token)


def _items(document: Any) -> list[Any]:
    items = document["items"]
    if not isinstance(items, list):
        raise TypeError("items is no list")
    return items


def _next(document: Any) -> str | None:
    cursor = document["next"]
    if cursor is not None and not isinstance(cursor, str):
        raise TypeError("next is no cursor")
    return cursor
