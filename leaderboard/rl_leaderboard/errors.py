"""Everything that the leaderboard refuses, each with its HTTP status and a code for programs.

The message is a sentence for a person, shown unchanged on pages and in the API.
"""

from typing import ClassVar


class LeaderboardError(Exception):
    """A request that is refused.

    Attributes:
        status: The HTTP status of the answer.
        code: What programs tell errors apart by.
        headers: More headers of the answer.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"

    def __init__(self, message: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.headers = headers or {}


class BadRequest(LeaderboardError):
    """What was sent cannot be understood or is not allowed."""


class Unauthorized(LeaderboardError):
    """Nobody is signed in, or the token is not known."""

    status = 401
    code = "unauthorized"


class Forbidden(LeaderboardError):
    """Known, but not allowed to."""

    status = 403
    code = "forbidden"


class NotFound(LeaderboardError):
    """There is nothing here, or nothing that this person may see."""

    status = 404
    code = "not_found"


class MethodNotAllowed(LeaderboardError):
    """The address exists, the method does not."""

    status = 405
    code = "method_not_allowed"


class Conflict(LeaderboardError):
    """It does not fit what is there already."""

    status = 409
    code = "conflict"


class TooLarge(LeaderboardError):
    """More than is allowed."""

    status = 413
    code = "too_large"


class TooManyRequests(LeaderboardError):
    """A quota is used up, or attempts came too fast."""

    status = 429
    code = "too_many_requests"


class Unavailable(LeaderboardError):
    """Somebody else, a Hub or a sign-in service, does not answer."""

    status = 503
    code = "unavailable"


class Fault(LeaderboardError):
    """A mistake of ours: the log tells it."""

    status = 500
    code = "fault"
