"""Git's upload-pack, version 0, over HTTP without a state: what a clone and a fetch speak.

Sources: https://git-scm.com/docs/pack-protocol, https://git-scm.com/docs/protocol-capabilities and
https://git-scm.com/docs/http-protocol. A client that offers version 2 falls back to this one.
"""

import io
import itertools
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dulwich.errors import GitProtocolError, HangupException
from dulwich.protocol import Protocol, pkt_line
from sqlalchemy import Connection

from rl_hub.errors import BadRequest, TooLarge
from rl_hub.git.history import Parents, covered, select
from rl_hub.git.objects import DamagedRepository, list_objects, read_parents
from rl_hub.git.pack import write_pack
from rl_hub.hub import Hub

_CAPABILITIES = (
    "multi_ack_detailed side-band-64k shallow no-progress allow-tip-sha1-in-want allow-reachable-sha1-in-want "
    "symref=HEAD:refs/heads/main object-format=sha1 agent=rl_hub"
)
_FLUSH = pkt_line(None)
_SHA = re.compile(rb"[0-9a-f]{40}")
_DEPTH = re.compile(rb"[1-9][0-9]{0,9}")
# A packet has 65,520 bytes at most: 4 of its length, 1 of the band, and these.
_BAND_BYTES = 65_515
_DATA, _FATAL = b"\1", b"\3"

# Of a request. git names 16,384 commits at a time, or a tenth of what it has named so far if that is more
# (https://github.com/git/git/blob/v2.47.0/fetch-pack.c, next_flush), and then waits for the answer.
_MOST_LINES, _MOST_ENDS = 50_000, 1_001

_FAILED = "A repository could not be cloned."

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """What a client asks for.

    Attributes:
        wants: Commits that it wants.
        capabilities: What it understands.
        shallow: Commits whose parents it does not have.
        depth: How many commits of each branch it wants; None for all.
        haves: Commits that it has, None where it waits for an answer.
        done: Whether it wants the pack now.
    """

    wants: tuple[str, ...]
    capabilities: frozenset[bytes]
    shallow: frozenset[str]
    depth: int | None
    haves: tuple[str | None, ...]
    done: bool


def advertise(refs: dict[str, str]) -> bytes:
    """The answer to a client that looks what there is.

    Args:
        refs: Branches and tags by their full names, with their commits; `refs/heads/main` is among them.
    """
    head = f"{refs['refs/heads/main']} HEAD\0{_CAPABILITIES}\n"
    lines = [head, *(f"{sha} {name}\n" for name, sha in refs.items())]
    service = pkt_line(b"# service=git-upload-pack\n") + _FLUSH
    return service + b"".join(pkt_line(line.encode()) for line in lines) + _FLUSH


def parse(body: bytes) -> Request:
    """Reads a request.

    Raises:
        BadRequest: If it is none.
        TooLarge: If it has more packets than git sends.
    """
    try:
        return _parse(_packets(body))
    except (GitProtocolError, HangupException):
        raise BadRequest("This is not a request as git sends it.") from None


def _packets(body: bytes) -> Callable[[], bytes | None]:
    """A function that returns the next packet: a line, or None for the end of a list."""
    read = Protocol(io.BytesIO(body).read, _nowhere).read_pkt_line
    lines, ends = itertools.count(1), itertools.count(1)

    def read_next() -> bytes | None:
        line = read()
        if (next(ends) > _MOST_ENDS) if line is None else (next(lines) > _MOST_LINES):
            raise TooLarge("This request has too many lines. Clone anew instead of fetching.")
        return line

    return read_next


def _parse(read: Callable[[], bytes | None]) -> Request:
    wants: list[str] = []
    capabilities: frozenset[bytes] = frozenset()
    shallow: set[str] = set()
    depth = None
    while (line := read()) is not None:
        word, _, rest = line.rstrip(b"\n").partition(b" ")
        if word == b"want":
            sha, *words = rest.split(b" ")
            # The first line says it for all.
            capabilities = capabilities if wants else frozenset(words)
            wants.append(_sha(sha))
        elif word == b"shallow":
            shallow.add(_sha(rest))
        elif word == b"deepen" and _DEPTH.fullmatch(rest):
            depth = int(rest)
        else:
            raise GitProtocolError
    haves, done = _parse_haves(read)
    return Request(tuple(dict.fromkeys(wants)), capabilities, frozenset(shallow), depth, haves, done)


def _parse_haves(read: Callable[[], bytes | None]) -> tuple[tuple[str | None, ...], bool]:
    haves: list[str | None] = []
    while True:
        try:
            line = read()
        except HangupException:
            return tuple(haves), False
        word, _, rest = (line or b"").rstrip(b"\n").partition(b" ")
        if line is None:
            haves.append(None)
        elif word == b"have":
            haves.append(_sha(rest))
        elif word == b"done":
            return tuple(haves), True
        else:
            raise GitProtocolError


def _sha(text: bytes) -> str:
    if not _SHA.fullmatch(text):
        raise GitProtocolError
    return text.decode()


def _nowhere(data: bytes) -> None:
    """Where a reader of packets writes to."""


def respond(hub: Hub, connection: Connection, repository_id: int, request: Request) -> Iterator[bytes]:
    """Answers a request.

    Everything is looked up before this returns, but for the objects, which the iterator reads as it goes.

    Args:
        hub: The Hub.
        connection: A transaction; the iterator does not use it.
        repository_id: The repository.
        request: What the client asks for.
    """
    parents = read_parents(connection, repository_id)
    unknown = [sha for sha in request.wants if sha not in parents]
    if unknown:
        return iter([pkt_line(f"ERR This repository has no commit {unknown[0]}.\n".encode())])
    common, reply = acknowledge(request, parents)
    selection = select(parents, request.wants, common, request.shallow, request.depth)
    if request.depth is not None:
        lines = [f"shallow {sha}" for sha in selection.shallow] + [f"unshallow {sha}" for sha in selection.unshallow]
        reply = b"".join(pkt_line(line.encode()) for line in lines) + _FLUSH + reply
    if not request.done:
        return iter([reply])
    try:
        listed = list_objects(connection, repository_id, selection)
    except DamagedRepository as error:
        _log.exception(_FAILED)
        return iter([pkt_line(f"ERR {error}\n".encode())])
    return _answer(reply, write_pack(hub, listed), banded=b"side-band-64k" in request.capabilities)


def acknowledge(request: Request, parents: Parents) -> tuple[list[str], bytes]:
    """Tells the client which of its commits are known here.

    Returns:
        Those, and the lines that say so.
    """
    common = [have for have in request.haves if have is not None and have in parents]
    if b"multi_ack_detailed" in request.capabilities:
        lines = _detailed(request, parents, common)
    else:
        lines = _single(request, parents)
    return common, b"".join(pkt_line(f"{line}\n".encode()) for line in lines)


def _detailed(request: Request, parents: Parents, common: Sequence[str]) -> list[str]:
    """An answer to each commit that is known, and whether these are enough."""
    known = (have for have in request.haves if have is None or have in parents)
    lines = ["NAK" if have is None else f"ACK {have} common" for have in known]
    waits = request.haves[-1:] == (None,)
    if waits and common and covered(parents, request.wants, frozenset(common)):
        lines.insert(-1, f"ACK {common[-1]} ready")
    if request.done:
        lines.append(f"ACK {common[-1]}" if common else "NAK")
    return lines


def _single(request: Request, parents: Parents) -> list[str]:
    """An answer to the first commit that is known, which ends the asking."""
    lines: list[str] = []
    for have in request.haves:
        if have is None:
            lines.append("NAK")
        elif have in parents:
            return [*lines, f"ACK {have}"]
    return [*lines, "NAK"] if request.done else lines


def _answer(reply: bytes, pack: Iterator[bytes], *, banded: bool) -> Iterator[bytes]:
    """The reply, then the pack: in packets that can also carry an error, if the client knows those."""
    yield reply
    if not banded:
        yield from _chunks(pack)
        return
    try:
        for chunk in _chunks(pack):
            yield pkt_line(_DATA + chunk)
    except DamagedRepository as error:
        _log.exception(_FAILED)
        yield pkt_line(_FATAL + str(error).encode())
    yield _FLUSH


def _chunks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes, as much at a time as a packet holds."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= _BAND_BYTES:
            yield bytes(waiting[:_BAND_BYTES])
            del waiting[:_BAND_BYTES]
    if waiting:
        yield bytes(waiting)
