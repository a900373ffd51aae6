"""Stands in for a submission's own process in the sandbox, as if somebody had taken it over; runs there only.

It speaks the protocol well, but for `attack(judge, aims)` of a case's `attack.py`, which stands below it, with `AIMS`
and `WHEN` above. What an attack finds it tells; if it comes back, honest answers follow.
"""

import json
import os

from rl_leaderboard.judge.players import inside
from rl_leaderboard.judge.players.messages import Kind, Pipe, frame, json_frame
from rl_leaderboard.judge.sandbox import seccomp

_ACTION_BYTES = 8


class Judge:
    """The judge, as a submission's process sees it."""

    def __init__(self, pipe: Pipe, opening: dict) -> None:
        self.pipe, self.opening = pipe, opening
        self.files = {}
        for name, _ in opening["files"]:
            _, length = pipe.header()
            self.files[name] = bytes(pipe.body(length))

    def hand_back(self) -> None:
        """Converts to the files as they came."""
        files = [(name, content) for name, content in self.files.items() if name.startswith("agent.")]
        manifest = [[name, len(content)] for name, content in files]
        self.send(json_frame(Kind.LOADED, {"algo": "ppo", "sha256": "0" * 64, "files": manifest}))
        for _, content in files:
            self.send(frame(Kind.CONVERTED, content))

    def claim_loaded(self, **more: object) -> None:
        """Says that an agent is loaded."""
        self.send(json_frame(Kind.LOADED, {"algo": "ppo", "sha256": "0" * 64, "files": [], **more}))

    def send(self, pieces: list) -> None:
        """Sends a message, whatever it is."""
        self.pipe.send(pieces)

    def next_batch(self) -> int:
        """Waits for observations, and says how many."""
        kind, length = self.pipe.header()
        if kind != Kind.OBSERVATIONS:
            os._exit(0)
        body = bytes(self.pipe.body(length))
        size = int.from_bytes(body[:2], "big")
        (entry,) = json.loads(body[2 : 2 + size])
        return entry[2][0]

    def answer(self, content: bytes) -> None:
        """Answers with bytes."""
        self.send(frame(Kind.ACTIONS, content))

    def play_on(self) -> None:
        """Answers honestly until the end."""
        while True:
            self.answer(bytes(_ACTION_BYTES * self.next_batch()))

    def tell(self, found: object) -> None:
        """Carries something out of the sandbox by every way that there is, and ends."""
        os.write(2, f"{found}\n".encode(errors="replace")[-60_000:])
        self.send(json_frame(Kind.FAILED, {"reason": "refused", "sentence": f"{found}"[:10_000], "refusal": "told"}))
        os._exit(0)


def play(pipe, opening, _folder):
    """Serves a submission."""
    judge = Judge(pipe, opening)
    if opening["task"] == WHEN:  # noqa: F821  stands above
        attack(judge, AIMS)  # noqa: F821
    if opening["task"] == "convert":
        judge.hand_back()
    else:
        judge.claim_loaded()
        judge.play_on()


def serve() -> None:
    """As `inside.main`, without torch."""
    seal = seccomp.forbid_processes if seccomp.supported() else None
    inside.serve(inside.take_over_standard_streams(), play, {}, seal)
