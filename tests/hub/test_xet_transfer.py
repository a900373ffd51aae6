"""Bodies that are worked on while they arrive."""

import asyncio
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from filled_hub import owner
from hub_server import served
from rl_hub import clock
from rl_hub.errors import BadRequest
from rl_hub.web.app import create_app
from rl_hub.web.transfer import pump
from rl_hub.xet import access, namespaces
from rl_hub.xet.access import Access


async def arriving(*pieces, error=None):
    for piece in pieces:
        yield bytearray(piece)
        await asyncio.sleep(0)
    if error:
        raise error


def test_pieces_are_taken_in_order_in_another_thread():
    taken = []

    asyncio.run(pump(arriving(b"1", b"2", b"3"), lambda piece: taken.append((bytes(piece), threading.get_ident()))))

    assert [piece for piece, _ in taken] == [b"1", b"2", b"3"]
    assert threading.get_ident() not in {thread for _, thread in taken}


def test_no_pieces_are_fine():
    asyncio.run(pump(arriving(), pytest.fail))


@pytest.mark.parametrize("place", [b"1", b"2", b"3"])
def test_a_piece_that_is_refused_ends_the_transfer(place):
    taken = []

    def take(piece):
        taken.append(bytes(piece))
        if piece == place:
            raise BadRequest("No.")

    with pytest.raises(BadRequest, match="No"):
        asyncio.run(pump(arriving(b"1", b"2", b"3"), take))
    assert taken[-1] == place


@pytest.mark.parametrize("fails", [True, False])
def test_nothing_is_taken_any_more_after_the_sender_has_gone(fails):
    working = []

    def take(_piece):
        working.append("begun")
        time.sleep(0.05)
        working.append("ended")
        if fails:
            raise BadRequest("No.")

    with pytest.raises(ConnectionResetError):
        asyncio.run(pump(arriving(b"1", error=ConnectionResetError()), take))
    assert working == ["begun", "ended"]


def test_a_transfer_that_is_cancelled_waits_for_the_piece_in_hand():
    working = []

    def take(_piece):
        time.sleep(0.1)
        working.append("ended")

    async def forever():
        yield bytearray(b"1")
        await asyncio.sleep(60)

    async def cancelled():
        task = asyncio.create_task(pump(forever(), take))
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(cancelled())
    assert working == ["ended"]


def test_a_sender_that_goes_away_leaves_nothing(hub):
    path, token = begun(hub)
    with served(create_app(hub)) as endpoint:
        address = urlsplit(endpoint)
        with socket.create_connection((address.hostname, address.port)) as connection:
            head = f"POST {path}/v1/shards HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {token}\r\n"
            connection.sendall(f"{head}Content-Length: 1000\r\n\r\n".encode() + b"x" * 10)
            wait_for(lambda: staged(hub))
        wait_for(lambda: not staged(hub))


def begun(hub):
    """Where a user's client sends to, and its token."""
    ada = owner(hub)
    with hub.database.write() as connection:
        namespace = namespaces.current(connection, ada.identity.user_id)
    sender = Access(ada.identity.user_id, ada.repository("agent").id, namespace)
    return f"/xet/{namespace}", access.issue(hub.secret, sender, clock.now() + access.LIFETIME)


def staged(hub):
    return list(hub.blobs.staging.iterdir())


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
