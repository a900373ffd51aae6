"""Everything that the Hub refuses, each with its HTTP status and the code by which the client knows it.

The message is a sentence for a person: the client shows it unchanged. The codes are those that `huggingface_hub`
turns into exceptions of their own (`RepositoryNotFoundError` and the like).
"""

from typing import Any, ClassVar

DISK_FULL = "The Hub's disk is full. Ask its administrator to make room, then try again."


class HubError(Exception):
    """A request that is refused.

    Attributes:
        status: The HTTP status of the answer.
        code: What goes into the `X-Error-Code` header, if anything.
        extra: More members of the JSON answer.
        headers: More headers of the answer.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str | None] = None

    def __init__(self, message: str, *, headers: dict[str, str] | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.headers = headers or {}
        self.extra = extra


class BadRequest(HubError):
    """What was sent cannot be understood or is not allowed."""


class Unauthorized(HubError):
    """Nobody is signed in, or the token is not known."""

    status = 401


class Forbidden(HubError):
    """Known, but not allowed to."""

    status = 403


class NotFound(HubError):
    """There is nothing at this address."""

    status = 404


class RepositoryNotFound(NotFound):
    """No such repository, or none that this person may see."""

    code = "RepoNotFound"


class HiddenRepository(RepositoryNotFound):
    """The same for somebody who is not signed in: signing in might help."""

    status = 401


class RevisionNotFound(NotFound):
    """The repository has no such branch, tag or commit."""

    code = "RevisionNotFound"


class EntryNotFound(NotFound):
    """The revision has no such file."""

    code = "EntryNotFound"


class MethodNotAllowed(HubError):
    """The address exists, the method does not."""

    status = 405


class TooSlow(HubError):
    """A request whose body does not arrive."""

    status = 408


class Conflict(HubError):
    """The name is taken."""

    status = 409


class HeadMoved(HubError):
    """The branch is no longer where the request expects it."""

    status = 412


class TooLarge(HubError):
    """A body, file or repository above its limit."""

    status = 413


class QuotaExceeded(TooLarge):
    """What is stored already leaves no room for this."""


class UnsupportedEncoding(HubError):
    """A body in a form that the Hub does not read."""

    status = 415


class TooManyRequests(HubError):
    """Too many failed attempts; `Retry-After` says when the next may be made."""

    status = 429


class Busy(HubError):
    """Others keep the database from this request; `Retry-After` makes the client try again by itself."""

    status = 503

    def __init__(self) -> None:
        super().__init__("The Hub is busy. Try again in a moment.", headers={"Retry-After": "3"})


class StorageFull(HubError):
    """The Hub's disk has no room left."""

    status = 507


class CommandError(Exception):
    """A command that cannot do what it was asked, with the sentence that says why."""
