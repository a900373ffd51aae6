"""A classroom that speaks the API's contract and has failures on demand, for tests of the student's commands."""

import contextlib
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub_server import served

ERRORS = {401: "unauthorized", 403: "forbidden", 404: "not-found", 422: "invalid", 429: "too-many", 500: "error"}


def submission(number=1, **changes):
    """An entry of the student's submissions."""
    return {
        "id": number,
        "repo_id": f"ada/dqn-{number}",
        "sha": "0123456789abcdef0123456789abcdef01234567",
        "assignment": "space-invaders",
        "env_id": "SpaceInvadersNoFrameskip-v4",
        "algorithm": "DQN",
        "state": "counted",
        "reason": "",
        "score": 240.066,
        "mean": 258.23,
        "std": 18.164,
        "n_episodes": 50,
        "verified": False,
        "submitted_at": "2026-11-28T07:52:07+00:00",
        "rank": 3,
        "url": f"/submissions/{number}",
    } | changes


def place(rank=1, **changes):
    """A row of a board."""
    return {
        "rank": rank,
        "student": f"Student {rank}",
        "agent": f"student{rank}/dqn",
        "score": 500.0 - rank,
        "low": 480.0 - rank,
        "high": 520.0 - rank,
        "mean": 550.0 - rank,
        "std": 50.0,
        "n_episodes": 50,
        "verified": True,
        "algorithm": "DQN",
        "library": "stable-baselines3",
        "submitted_at": "2026-11-28T07:52:07+00:00",
        "url": f"/agents/{rank}",
    } | changes


@dataclass
class LocalClassroom:
    """A running classroom.

    `answers` maps a path below /api/v1 to what is answered there in the place of the usual: a JSON value or a Response.
    `requests` are the method, path, parameters, body and Authorization header of all requests so far.
    """

    token: str = "hf_ada"
    submissions: list = field(default_factory=list)
    places: list = field(default_factory=list)
    largest_page: int = 100
    answers: dict = field(default_factory=dict)
    requests: list = field(default_factory=list)
    address: str = ""

    def reset(self):
        """Makes it an empty classroom again that answers as usual."""
        self.submissions, self.places, self.answers, self.requests, self.largest_page = [], [], {}, [], 100

    def fail(self, path, status, sentence="The classroom says so", headers=None):
        """Makes a path answer with an error of the API's one shape."""
        body = {"error": sentence, "code": ERRORS.get(status, "other"), "status": status}
        self.answers[path] = JSONResponse(body, status, headers)

    @contextlib.contextmanager
    def running(self):
        """Serves it; its `address` is set meanwhile."""
        with served(Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])) as self.address:
            yield self

    async def _answer(self, request):
        path = request.url.path.removeprefix("/api/v1")
        body = await request.json() if request.method == "POST" else None
        sender = request.headers.get("Authorization", "")
        self.requests.append((request.method, path, dict(request.query_params), body, sender))
        if path in self.answers:
            answer = self.answers[path]
            return answer if isinstance(answer, Response) else JSONResponse(answer)
        if not path.startswith("/boards") and sender != f"Bearer {self.token}":
            return JSONResponse({"error": "This token is unknown.", "code": "unauthorized", "status": 401}, 401)
        if (request.method, path) == ("POST", "/submissions"):
            receipt = {"id": 12, "state": "received", "assignment": "space-invaders", "url": "/submissions/12"}
            return JSONResponse(receipt, 202)
        return JSONResponse(self._page(path, request.query_params))

    def _page(self, path, parameters):
        if path == "/boards":
            board = {"id": "space-invaders", "title": "Space Invaders", "env_id": "SpaceInvadersNoFrameskip-v4"}
            return {"items": [board | {"total": len(self.places)}]}
        everything = self.submissions if path == "/me/submissions" else self.places
        found = [entry for entry in everything if parameters.get("search", "") in entry.get("student", "")]
        first = int(parameters.get("cursor") or 0)
        last = first + min(int(parameters["limit"]), self.largest_page)
        page = {"items": found[first:last], "next": str(last) if last < len(found) else None}
        if path == "/me/submissions":
            return page
        assignment = {
            "id": "space-invaders",
            "title": "Space Invaders",
            "env_id": "SpaceInvadersNoFrameskip-v4",
            "threshold": 200.0,
        }
        baselines = [{"name": "random", "title": "Random actions", "score": 51.383}]
        return page | {"assignment": assignment, "total": len(found), "baselines": baselines}
