"""What the server has answered, counted for whoever watches over it."""

import time
from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper ends, in seconds, of the classes that times are counted in."""

_KEPT, _NOWHERE = "(kept page)", "(no such address)"
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


@dataclass
class Times:
    """How long answers took: a count for each class and one for what is slower, and the sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    total: float = 0.0


@dataclass
class Traffic:
    """What the server has answered since it started.

    Attributes:
        requests: How many, by method, the route's template and status; no address as it was sent, since it may name
            a person.
        times: How long they took, by template.
        streams: How many event streams are open.
    """

    requests: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    times: defaultdict[str, Times] = field(default_factory=lambda: defaultdict(Times))
    streams: int = 0


class CountTraffic:
    """Middleware that counts."""

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self.app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with the wrapped application."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status, is_stream = 500, False

        async def note(message: Message) -> None:
            nonlocal status, is_stream
            if message["type"] == "http.response.start":
                status = message["status"]
                is_stream = _is_stream(message)
                self._traffic.streams += is_stream
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            self._traffic.streams -= is_stream
            self._count(scope, status, None if is_stream else time.perf_counter() - started)

    def _count(self, scope: Scope, status: int, seconds: float | None) -> None:
        """Counts an answer; how long somebody listens to a stream is no time that anybody waits."""
        route = scope.get("route")
        template = getattr(route, "path", _KEPT if status < 400 else _NOWHERE)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._traffic.requests[method, template, status] += 1
        if seconds is not None:
            times = self._traffic.times[template]
            times.counts[bisect_left(BOUNDS, seconds)] += 1
            times.total += seconds


def _is_stream(message: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream") for name, value in message["headers"]
    )
