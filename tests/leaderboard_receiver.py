"""A receiver of outgoing webhooks, for tests."""

import contextlib
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub_server import served


@dataclass
class Receiver:
    """A running receiver.

    Attributes:
        status: What is answered.
        headers: What goes with it.
        requests: Path, headers and body of every request so far.
        address: Where it is.
    """

    status: int = 204
    headers: dict = field(default_factory=dict)
    requests: list = field(default_factory=list)
    address: str = ""

    @contextlib.contextmanager
    def running(self):
        """Serves it; its `address` is set meanwhile."""
        with served(self.app()) as self.address:
            yield self

    def app(self):
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])

    def wait_for(self, number, seconds=30):
        """The bodies of the first requests, once there are so many; whatever there is after a while."""
        until = time.monotonic() + seconds
        while len(self.requests) < number and time.monotonic() < until:
            time.sleep(0.02)
        return [json.loads(body) for _, _, body in self.requests[:number]]

    async def _answer(self, request: Request) -> Response:
        self.requests.append((request.url.path, request.headers, await request.body()))
        return Response(status_code=self.status, headers=self.headers)


def is_signed(secret, headers, body) -> bool:
    """Whether a delivery carries the signature that its receiver computes, as the documentation says."""
    parts = dict(part.split("=", 1) for part in headers["X-RL-Classroom-Signature"].split(","))
    expected = hmac.new(secret.encode(), f"{parts['t']}.".encode() + body, hashlib.sha256).hexdigest()
    return abs(time.time() - int(parts["t"])) < 60 and hmac.compare_digest(parts["v1"], expected)
