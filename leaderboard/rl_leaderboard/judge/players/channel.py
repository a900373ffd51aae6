"""The judge's side of the messages: nothing is waited for without end, nothing is read that is larger than agreed."""

import contextlib
import fcntl
import os
import select
import subprocess
import time
from collections.abc import Iterable, Mapping
from typing import IO

from rl_leaderboard.judge.players.messages import HEADER, Kind

_PIPE_BYTES = 1024**2  # the most that Linux lets an ordinary user have (/proc/sys/fs/pipe-max-size); 64 KiB is usual
_CHUNK_BYTES = 64 * 1024
_KEPT_ERROR_BYTES = 4096


class ChannelClosed(Exception):
    """The other side has gone."""


class ChannelTimeout(Exception):
    """It has not read or answered in time."""


class UnexpectedMessage(Exception):
    """It has sent something that it was not asked for.

    Args:
        what: What was wrong with it.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Unasked(Exception):
    """It sends something before it was asked; nothing of that has been read yet."""


class Channel:
    """Messages to and from a process, over its standard input and output.

    What it writes to its standard error is read, so that it does not stand still, and forgotten but for the end.

    Args:
        process: Its three streams are pipes, or its standard error goes elsewhere.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._writing, self._reading = _descriptor(process.stdin), _descriptor(process.stdout)
        self._errors = -1 if process.stderr is None else process.stderr.fileno()
        self._last_errors = b""
        for descriptor in (self._writing, self._reading):
            os.set_blocking(descriptor, False)
            with contextlib.suppress(OSError):  # slower, but it works, where a user has used up what pipes may take
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        if self._errors >= 0:
            os.set_blocking(self._errors, False)

    @property
    def last_errors(self) -> str:
        """The end of what it wrote to standard error; for a log, because it may be anything."""
        self._drain_errors()
        return self._last_errors.decode(errors="replace")

    def send(self, pieces: Iterable[bytes | memoryview], deadline: float, *, ahead: bool = False) -> None:
        """Writes a message.

        Args:
            pieces: Of the message.
            deadline: On `time.monotonic`'s clock.
            ahead: The other side may be answering an earlier message meanwhile.

        Raises:
            Unasked: If the other side sends something before it has read all of it, and may not.
            ChannelClosed: If it reads no more.
            ChannelTimeout: If it does not read in time.
        """
        unwanted = -1 if ahead else self._reading
        if not ahead and self.is_readable():
            raise Unasked
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                try:
                    rest = rest[os.write(self._writing, rest) :]
                except BlockingIOError:
                    if self._wait(self._writing, select.POLLOUT, deadline, also=unwanted) != self._writing:
                        raise Unasked from None
                except (BrokenPipeError, ConnectionResetError):
                    raise ChannelClosed from None

    def is_readable(self) -> bool:
        """Whether there is something to read, the end among it."""
        poller = select.poll()
        poller.register(self._reading, select.POLLIN)
        return bool(poller.poll(0))

    def receive(self, largest: Mapping[Kind, int], deadline: float) -> tuple[Kind, bytearray]:
        """Reads a message.

        Args:
            largest: Most bytes of the body, for each kind that may come.
            deadline: On `time.monotonic`'s clock.

        Returns:
            Kind and body.

        Raises:
            UnexpectedMessage: If it is of another kind, or larger.
            ChannelClosed: If the other side ends before the message does.
            ChannelTimeout: If it does not come in time.
        """
        length, number = HEADER.unpack(self._read(HEADER.size, deadline))
        kind = next((kind for kind in largest if kind == number), None)
        if kind is None:
            raise UnexpectedMessage("answered with something that is no answer")
        if not 1 <= length <= largest[kind] + 1:
            raise UnexpectedMessage(f"answered with {length - 1:,} bytes where {largest[kind]:,} are the most")
        return kind, self._read(length - 1, deadline)

    def _read(self, length: int, deadline: float) -> bytearray:
        content = bytearray(length)
        rest = memoryview(content)
        while rest:
            try:
                count = os.readv(self._reading, [rest])
            except BlockingIOError:
                self._wait(self._reading, select.POLLIN, deadline)
                continue
            if count == 0:
                raise ChannelClosed
            rest = rest[count:]
        return content

    def _wait(self, descriptor: int, event: int, deadline: float, also: int = -1) -> int:
        """Waits until one stream is ready for an event or another can be read, and says which.

        A stream that the other side has closed counts as ready: reading or writing it says so.
        """
        while (left := deadline - time.monotonic()) > 0:
            poller = select.poll()
            poller.register(descriptor, event)
            for other in (also, self._errors):
                if other >= 0:
                    poller.register(other, select.POLLIN)
            ready = {number for number, _ in poller.poll(1000 * left + 1)}
            if self._errors in ready:
                self._drain_errors()
            for wanted in (also, descriptor):
                if wanted in ready:
                    return wanted
        raise ChannelTimeout

    def _drain_errors(self) -> None:
        if self._errors < 0:
            return
        try:
            content = os.read(self._errors, _CHUNK_BYTES)
        except BlockingIOError:
            return
        if not content:
            self._errors = -1
        self._last_errors = (self._last_errors + content)[-_KEPT_ERROR_BYTES:]


def _descriptor(stream: IO[bytes] | None) -> int:
    if stream is None:
        raise ValueError("the process was started without a pipe for its standard input or output")
    return stream.fileno()
