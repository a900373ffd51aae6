"""One submission in a sandboxed process; whatever can go wrong with it becomes `AgentFailed`."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rl_leaderboard.judge.players import failures
from rl_leaderboard.judge.players.channel import Channel, ChannelClosed, ChannelTimeout, Unasked, UnexpectedMessage
from rl_leaderboard.judge.players.failures import AgentFailed
from rl_leaderboard.judge.players.limits import PlayerLimits
from rl_leaderboard.judge.players.messages import Kind, frame
from rl_units.agents.excerpts import excerpt

MOST_JSON_BYTES = 64 * 1024
_UNASKED = "answered before it was asked"
_NO_ANSWER = "answered with something that is no answer"


@dataclass(frozen=True)
class Task:
    """What is waited for.

    Attributes:
        doing: Goes on after "The agent took too long to".
        seconds: How long it may take.
        deadline: On `time.monotonic`'s clock.
    """

    doing: str
    seconds: float
    deadline: float

    @classmethod
    def begin(cls, doing: str, seconds: float) -> "Task":
        """A task that begins now."""
        return cls(doing, seconds, time.monotonic() + seconds)


class Service:
    """One submission in a sandboxed process.

    Args:
        channel: To the process.
        limits: Of the submission.
        ended_by: Says why the whole process has gone.
        overran: Says what it was ended for having used too much of; None if it was not.
        commitment: Hash of the secret that says that the submission's own process is over.
    """

    def __init__(
        self,
        channel: Channel,
        limits: PlayerLimits,
        ended_by: Callable[[], AgentFailed],
        overran: Callable[[], AgentFailed | None],
        commitment: str,
    ) -> None:
        self._channel = channel
        self.limits = limits
        self._ended_by = ended_by
        self._overran = overran
        self._commitment = commitment
        self.has_told = False  # by itself that the agent fails, which is no reason to distrust the process

    def send(self, pieces: Sequence[bytes | memoryview], task: Task, *, ahead: bool = False) -> None:
        """Sends a message.

        Args:
            pieces: Of the message.
            task: What it is for.
            ahead: The answer to an earlier message is still to be received.

        Raises:
            AgentFailed: If it cannot be sent. If it is sent ahead to a process that has gone, `receive` says so.
        """
        try:
            self._channel.send(pieces, task.deadline, ahead=ahead)
        except ChannelTimeout:
            raise failures.too_slow(task.doing, task.seconds) from None
        except (ChannelClosed, Unasked):
            if ahead:
                return
            # Why is in what it has sent: it has failed or ended, or speaks out of turn.
            self._receive({}, task, _UNASKED)
            raise AssertionError("there is nothing that it may answer here") from None

    def receive(self, kind: Kind, largest: int, task: Task) -> bytearray:
        """Reads an answer.

        Args:
            kind: What it has to be.
            largest: Most bytes of it.
            task: What it answers.

        Raises:
            AgentFailed: If it does not come, is something else or too large, or says that the agent failed.
        """
        return self._receive({kind: largest}, task, None)

    def receive_json(self, kind: Kind, task: Task) -> dict[str, Any]:
        """Reads an answer that is a JSON object; see `receive`."""
        try:
            return parse(self.receive(kind, MOST_JSON_BYTES, task))
        except UnexpectedMessage as error:
            raise failures.bad_answer(error.what) from None

    def _receive(self, largest: Mapping[Kind, int], task: Task, blame: str | None) -> bytearray:
        always = {Kind.FAILED: MOST_JSON_BYTES, Kind.OVER: MOST_JSON_BYTES}
        try:
            kind, body = self._channel.receive({**always, **largest}, task.deadline)
            if kind == Kind.OVER:
                raise self._over(parse(body))
            if kind == Kind.FAILED:
                failure = _failure(parse(body))
                self.has_told = True
                raise failure
        except ChannelTimeout:
            raise failures.too_slow(task.doing, task.seconds) from None
        except ChannelClosed:
            raise self._ended_by() from None
        except UnexpectedMessage as error:
            raise failures.bad_answer(blame or error.what) from None
        return body

    def _over(self, over: Mapping[str, Any]) -> AgentFailed:
        if not self._is_true(over):
            return failures.bad_answer(_NO_ANSWER)
        # Whoever ends all of it kills the submission's own process first: its end may be told before the rest is gone.
        return self._overran() or failures.ended(_number(over, "signal"), _number(over, "code"))

    def close(self) -> bool:
        """Ends the submission.

        Returns:
            Whether its process has gone and left nothing behind, so that the next submission may come.
        """
        deadline = time.monotonic() + self.limits.end_seconds
        try:
            if not self._channel.is_readable():  # a converter ends by itself
                self._channel.send(frame(Kind.END), deadline)
            over = parse(self._channel.receive({Kind.OVER: MOST_JSON_BYTES}, deadline)[1])
        except (ChannelClosed, ChannelTimeout, Unasked, UnexpectedMessage):
            return False
        return self._is_true(over) and _number(over, "code") == 0 and _number(over, "signal") == 0

    def _is_true(self, over: Mapping[str, Any]) -> bool:
        digest = hashlib.sha256(str(over.get("secret")).encode(errors="replace")).hexdigest()
        return secrets.compare_digest(digest.encode(), self._commitment.encode(errors="replace"))


def parse(body: bytearray) -> dict[str, Any]:
    """A message's JSON object.

    Raises:
        UnexpectedMessage: If it is none.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise UnexpectedMessage(_NO_ANSWER) from None
    if not isinstance(document, dict):
        raise UnexpectedMessage(_NO_ANSWER)
    return document


def _number(document: Mapping[str, Any], key: str) -> int:
    value = document.get(key)
    return value if isinstance(value, int) and 0 <= value <= 255 else 255


def _failure(document: Mapping[str, Any]) -> AgentFailed:
    """What the process inside says of its agent; every text in it may be the student's own."""
    reason, sentence = document.get("reason"), _sentence(document.get("sentence"))
    if reason == "refused":
        return AgentFailed("refused", sentence, excerpt(document.get("refusal", "")))
    if reason == "out-of-memory":
        return failures.out_of_memory()
    if reason == "non-finite":
        return failures.non_finite("put out")
    if reason == "bad-answer":
        return AgentFailed("bad-answer", sentence)
    return failures.bad_answer(_NO_ANSWER)


def _sentence(text: object) -> str:
    """Whatever is told as a sentence, which has an end even where it had to be cut."""
    told = excerpt(text).rstrip(" .:;,") if isinstance(text, str) else ""
    return f"{told or 'The agent is not loaded'}."
