"""Calling a webhook.

httpx2 is imported where it is used: most classrooms call nobody.
"""

import hashlib
import hmac
import json
import ssl
from functools import partial
from typing import TYPE_CHECKING

import anyio
from anyio.to_thread import run_sync

from rl_hub import clock
from rl_leaderboard.activity import addresses
from rl_leaderboard.activity.addresses import Resolver, Target
from rl_leaderboard.activity.deliveries import Delivery
from rl_leaderboard.errors import BadRequest

if TYPE_CHECKING:
    import httpx2

SEND_SECONDS = 15.0
"""A receiver has to have answered by then, its name resolved and all."""

SIGNATURE = "X-RL-Classroom-Signature"
DELIVERY = "X-RL-Classroom-Delivery"


class Sender:
    """Calls webhooks, directly: no redirect, proxy, cookie or `.netrc` leads elsewhere than their address says.

    Args:
        allow_private: Whether an address may lead into a private network.
        resolver: Who finds a name's addresses.
    """

    def __init__(self, *, allow_private: bool, resolver: Resolver = addresses.resolve) -> None:
        self._allow_private = allow_private
        self._resolver = resolver
        self._certificates: ssl.SSLContext | None = None
        # A resolver that hangs keeps its thread; it must not take those of the database.
        self._threads = anyio.CapacityLimiter(8)

    async def send(self, delivery: Delivery) -> str | None:
        """Sends a delivery once.

        Returns:
            None once the receiver has answered 2xx; otherwise why not, in words that hold no address and no secret.
        """
        try:
            with anyio.fail_after(SEND_SECONDS):
                status = await self._post(await self._target(delivery.url), delivery)
        except TimeoutError:
            return f"no answer within {SEND_SECONDS:g} seconds"
        except BadRequest:
            return "the address leads nowhere, or where nothing may be sent"
        except Exception as error:
            return f"not reached: {type(error).__name__}"
        return None if 200 <= status < 300 else f"answered {status}"

    async def _target(self, url: str) -> Target:
        check = partial(addresses.check, url, allow_private=self._allow_private, resolver=self._resolver)
        return await run_sync(check, limiter=self._threads, abandon_on_cancel=True)

    async def _post(self, target: Target, delivery: Delivery) -> int:
        """Sends it to the first of the target's addresses that can be connected to; the answer's status."""
        import httpx2

        body = render(delivery)
        headers = {
            "Host": target.authority,
            "Content-Type": "application/json",
            "User-Agent": "rl_leaderboard",
            "Connection": "close",
            SIGNATURE: sign(delivery.secret, body, int(clock.now().timestamp())),
            DELIVERY: str(delivery.id),
        }
        for number, address in enumerate(target.addresses, start=1):
            # The address that was checked, under the name for which the receiver has its certificate.
            host = f"[{address}]" if ":" in address else address
            url = f"{target.scheme}://{host}:{target.port}{target.path}"
            extensions = {"sni_hostname": target.host} if target.scheme == "https" else {}
            request = httpx2.Request("POST", url, headers=headers, content=body, extensions=extensions)
            try:
                return await self._exchange(request)
            except httpx2.ConnectError:
                if number == len(target.addresses):
                    raise
        raise AssertionError("A target has at least one address.")

    async def _exchange(self, request: "httpx2.Request") -> int:
        import httpx2

        # One connection a delivery: what another name at the same address has opened is never used again.
        async with httpx2.AsyncHTTPTransport(
            verify=self._context(), limits=httpx2.Limits(max_keepalive_connections=0)
        ) as transport:
            response = await transport.handle_async_request(request)
            # Nothing in the body matters, so it is not read, however long it is.
            await response.aclose()
            return response.status_code

    def _context(self) -> ssl.SSLContext:
        # Reading the certificates takes a while, which a site without webhooks need not spend.
        if self._certificates is None:
            import httpx2

            self._certificates = httpx2.create_ssl_context()
        return self._certificates


def render(delivery: Delivery) -> bytes:
    """The body of a delivery."""
    activity = delivery.activity
    document = {
        "id": activity.id,
        "kind": activity.kind,
        "created_at": activity.created_at.isoformat(),
        "assignment": activity.assignment_id,
        "payload": dict(activity.payload),
    }
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def sign(secret: str, body: bytes, moment: int) -> str:
    """The header by which a receiver knows that a delivery is ours, and when it was sent.

    Args:
        secret: The webhook's.
        body: Of the delivery, byte for byte.
        moment: Seconds since 1970.
    """
    signed = f"{moment}.".encode() + body
    return f"t={moment},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
