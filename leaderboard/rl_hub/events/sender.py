"""Calling a webhook.

httpx2 is imported where it is used: most Hubs call nobody.
"""

import json
from types import TracebackType
from typing import TYPE_CHECKING

import anyio

from rl_hub.events.deliveries import Delivery
from rl_hub.events.payloads import addressed
from rl_hub.events.webhooks import MOST_WEBHOOKS

if TYPE_CHECKING:
    import httpx2

SEND_SECONDS = 15.0
"""A receiver has to have answered by then."""


class Sender:
    """Calls webhooks, directly: no redirect, proxy, cookie or `.netrc` leads elsewhere than their address says.

    Args:
        base_url: The Hub's address for `repo.url`, without a slash at the end; empty if it has no fixed one.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._opened: httpx2.AsyncHTTPTransport | None = None

    async def __aenter__(self) -> "Sender":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opened is not None:
            await self._opened.aclose()

    async def send(self, delivery: Delivery) -> str | None:
        """Sends a delivery once.

        Returns:
            None once the receiver has answered 2xx; otherwise why not, in words that hold no address and no secret.
        """
        import httpx2

        headers = {"Content-Type": "application/json", "User-Agent": "rl_hub"}
        if delivery.secret is not None:
            headers["X-Webhook-Secret"] = delivery.secret
        payload = addressed(delivery.payload, delivery.webhook_id, self._base_url)
        try:
            request = httpx2.Request("POST", delivery.url, headers=headers, content=json.dumps(payload))
            with anyio.fail_after(SEND_SECONDS):
                response = await self._transport().handle_async_request(request)
                # Nothing in the body matters, so it is not read, however long it is.
                await response.aclose()
        except TimeoutError:
            return f"no answer within {SEND_SECONDS:g} seconds"
        except Exception as error:
            return f"not reached: {type(error).__name__}"
        return None if response.is_success else f"answered {response.status_code}"

    def _transport(self) -> "httpx2.AsyncHTTPTransport":
        import httpx2

        # Reading the certificates takes a while, which a Hub without webhooks need not spend.
        if self._opened is None:
            self._opened = httpx2.AsyncHTTPTransport(limits=httpx2.Limits(max_connections=MOST_WEBHOOKS))
        return self._opened
