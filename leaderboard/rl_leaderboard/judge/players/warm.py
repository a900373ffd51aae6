"""A sandboxed process that has torch imported, and one submission at a time in a fork of it."""

import contextlib
import dataclasses
import logging
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

from rl_leaderboard.judge.players import failures
from rl_leaderboard.judge.players.channel import Channel, ChannelClosed, ChannelTimeout, Unasked, UnexpectedMessage
from rl_leaderboard.judge.players.failures import AgentFailed, PlayersUnavailable
from rl_leaderboard.judge.players.limits import PlayerLimits
from rl_leaderboard.judge.players.messages import Kind, json_frame
from rl_leaderboard.judge.players.service import MOST_JSON_BYTES, Service, parse
from rl_leaderboard.judge.sandbox.limits import Limits
from rl_leaderboard.judge.sandbox.processes import SandboxProcess, start
from rl_leaderboard.judge.sandbox.tiers import NoSandbox, Tier
from rl_units.agents.excerpts import excerpt
from rl_units.course import Protocol

Launcher = Callable[[str, Sequence[str]], subprocess.Popen[bytes]]
"""Starts `python -m module arguments` in a sandbox, where TMPDIR is a folder of its own. Its standard input and output
are pipes; standard error is a pipe or goes elsewhere. It leads a process group."""

MODULE = "rl_leaderboard.judge.players.inside"
_log = logging.getLogger(__name__)


def in_sandbox(tier: Tier, limits: Limits | None = None) -> Launcher:
    """A launcher of sandboxed processes.

    Args:
        tier: The kind of sandbox.
        limits: What each process may use.
    """
    return lambda module, arguments: start(tier, limits or Limits(), module, arguments, readable=[], forks=True)


class WarmProcess:
    """A sandboxed process, from its start to its end.

    Args:
        launcher: Starts it.
        limits: Of each submission.

    Raises:
        PlayersUnavailable: If it cannot be started.
    """

    def __init__(self, launcher: Launcher, limits: PlayerLimits) -> None:
        self.limits = limits
        self.served = 0
        self.versions: dict[str, str] = {}
        self._start_deadline = time.monotonic() + limits.start_seconds
        self._is_ready = False
        try:
            self._process = launcher(MODULE, [])
        except (OSError, NoSandbox) as error:
            raise PlayersUnavailable(f"No sandboxed process can be started: {error}") from error
        self.channel = Channel(self._process)

    def open(self, task: str, protocol: Protocol, algo: str | None, files: Sequence[tuple[str, int]]) -> Service:
        """Begins a submission.

        Args:
            task: `"play"` or `"convert"`.
            protocol: How it is played.
            algo: Its algorithm, if that is known; see `rl_units.agents.load_agent`.
            files: Names and sizes of the files that will be sent.

        Raises:
            PlayersUnavailable: If this process is not as it should be.
        """
        nonce = secrets.token_hex(16)
        opening = {
            "nonce": nonce, "task": task, "protocol": dataclasses.asdict(protocol), "algo": algo,
            "files": [list(file) for file in files],
        }  # fmt: skip
        try:
            self._await_ready()
            deadline = time.monotonic() + self.limits.start_seconds
            self.channel.send(json_frame(Kind.OPENING, opening), deadline)
            _, body = self.channel.receive({Kind.BORN: MOST_JSON_BYTES}, deadline)
            born = parse(body)
            if born.get("nonce") != nonce or not isinstance(born.get("commitment"), str):
                raise UnexpectedMessage("does not know the nonce")
        except (ChannelClosed, ChannelTimeout, Unasked, UnexpectedMessage) as error:
            raise PlayersUnavailable(
                f"A sandboxed process does not start submissions ({type(error).__name__}); it said: "
                f"{excerpt(self.last_errors[-200:])}"
            ) from error
        self.served += 1
        return Service(self.channel, self.limits, self.ended_by, self.overran, born["commitment"])

    def _await_ready(self) -> None:
        if self._is_ready:
            return
        _, body = self.channel.receive({Kind.READY: MOST_JSON_BYTES}, self._start_deadline)
        self.versions = {str(name): excerpt(version) for name, version in dict(parse(body).get("versions", {})).items()}
        self._is_ready = True

    @property
    def last_errors(self) -> str:
        """The end of what it wrote to standard error; for a log, because it may be anything."""
        if isinstance(self._process, SandboxProcess):
            return self._process.stderr_text()
        return self.channel.last_errors

    def overran(self) -> AgentFailed | None:
        """What to say of a process that was ended because it used too much of something; None of any other."""
        overrun = getattr(self._process, "overrun", None)
        return None if overrun is None else failures.overran(overrun)

    def ended_by(self) -> AgentFailed:
        """What to say of a process that has gone of its own accord."""
        if (failure := self.overran()) is not None:
            return failure
        try:
            code = self._process.wait(self.limits.end_seconds)
        except subprocess.TimeoutExpired:
            return failures.bad_answer("closed its connection")
        # A sandbox's program reports its child's signal as a shell does.
        number = -code if code < 0 else code - 128 if code > 128 else 0
        return failures.ended(number, code)

    def kill(self) -> None:
        """Ends the process and everything in its sandbox."""
        if isinstance(self._process, SandboxProcess):
            self._process.end()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(self._process.pid) == self._process.pid:
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
        self._process.wait()
        if text := self.last_errors:
            _log.debug("A sandboxed process said at its end: %s", excerpt(text[-200:]))
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
