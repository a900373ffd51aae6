"""Signed permissions: what their holder may do, and until when, readable by all and made by this Hub only."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rl_hub import clock

# A permission of this Hub has a few short members.
_MOST_CHARACTERS = 2048


def sign(secret: bytes, purpose: str, claims: Mapping[str, str | int], expires_at: datetime) -> str:
    """A signed permission, safe in an address.

    Args:
        secret: The Hub's secret.
        purpose: What it is for; it counts for nothing else.
        claims: What it allows.
        expires_at: When it ends.
    """
    stated = json.dumps({**claims, "exp": int(expires_at.timestamp())}, separators=(",", ":")).encode()
    return f"{_encode(stated)}.{_encode(_digest(secret, purpose, stated))}"


def verify(secret: bytes, purpose: str, signed: str) -> dict[str, Any] | None:
    """What a permission allows.

    Args:
        secret: The Hub's secret.
        purpose: What it is needed for.
        signed: What was sent.

    Returns:
        Its claims; None if this Hub did not sign it for this purpose, or it has ended.
    """
    if len(signed) > _MOST_CHARACTERS:
        return None
    stated, _, digest = signed.partition(".")
    try:
        content, given = _decode(stated), _decode(digest)
    except (binascii.Error, ValueError):
        return None
    if not hmac.compare_digest(given, _digest(secret, purpose, content)):
        return None
    claims: dict[str, Any] = json.loads(content)
    return claims if clock.now().timestamp() < claims["exp"] else None


def _digest(secret: bytes, purpose: str, content: bytes) -> bytes:
    key = hmac.digest(secret, b"rl_hub permission: " + purpose.encode(), hashlib.sha256)
    return hmac.digest(key, content, hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
