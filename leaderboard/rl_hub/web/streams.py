"""Bodies of requests, read with a bound."""

from collections.abc import AsyncIterator

import anyio
from starlette.requests import Request

from rl_hub.errors import BadRequest, TooLarge, TooSlow, UnsupportedEncoding

# What is handed to a worker thread at a time. Servers deliver pieces of at most 64 KiB, and a switch of threads for
# each of them costs more than the work on it.
PIECE_BYTES = 2**20
# Who has stopped sending must not keep a file and a connection open for ever.
_PATIENCE_SECONDS = 60


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body.

    Raises:
        TooLarge: If it has more than `limit` bytes.
        UnsupportedEncoding: If it is compressed.
    """
    collected = bytearray()
    async for piece in pieces(request, limit):
        collected += piece
    return bytes(collected)


async def pieces(request: Request, limit: int, piece_bytes: int = PIECE_BYTES) -> AsyncIterator[bytearray]:
    """The body in pieces of about `piece_bytes`, as it arrives.

    Raises:
        TooLarge: As soon as more than `limit` bytes are announced or have arrived.
        UnsupportedEncoding: If it is compressed: what it unpacks to could have any size.
    """
    refuse_encoding(request)
    if _announced(request) > limit:
        raise TooLarge(f"The body of this request may have {limit} bytes at most.")
    stream = request.stream()
    arrived = 0
    while piece := await _piece(stream, piece_bytes):
        arrived += len(piece)
        if arrived > limit:
            raise TooLarge(f"The body of this request may have {limit} bytes at most.")
        yield piece


async def _piece(stream: AsyncIterator[bytes], size: int) -> bytearray:
    """The next `size` bytes or a little more; less at the end.

    Raises:
        TooSlow: If nothing arrives for a while.
    """
    piece = bytearray()
    try:
        with anyio.fail_after(_PATIENCE_SECONDS) as patience:
            async for part in stream:
                piece += part
                if len(piece) >= size:
                    break
                patience.deadline = anyio.current_time() + _PATIENCE_SECONDS
    except TimeoutError:
        raise TooSlow(f"Nothing has arrived for {_PATIENCE_SECONDS} seconds. Send it again.") from None
    return piece


def refuse_encoding(request: Request) -> None:
    """Refuses a compressed body.

    Raises:
        UnsupportedEncoding: If it is compressed.
    """
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedEncoding("Send the body as it is: this Hub does not unpack compressed requests.")


def _announced(request: Request) -> int:
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise BadRequest("Content-Length has to be a number.")
    return int(length[:20])
