"""Where a webhook may lead: out of this network, so that nobody reaches with the server's hands what only it may reach.

A name is resolved once, each of its addresses is checked, and the very address that was checked is connected to. What a
name resolves to can change from one moment to the next, so this is done at registration and again at each delivery.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from rl_leaderboard.errors import BadRequest

LONGEST_URL = 2048
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?|[0-9A-Fa-f:.]{2,45}")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FIRST_FREE_PORT = 1024
# Somebody between here and there makes another address of them: NAT64, its local form, 6to4 and its relays, Teredo.
_TRANSLATED = tuple(
    ipaddress.ip_network(network)
    for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "192.88.99.0/24", "2001::/32")
)
# What RFC 3879 has taken back; some networks still route it inside, and the standard library takes it for global.
_SITE_LOCAL = ipaddress.ip_network("fec0::/10")
# Shared by a provider's customers; not private by the standard library's word, and not reachable from everywhere.
_SHARED = ipaddress.ip_network("100.64.0.0/10")

Resolver = Callable[[str, int], Sequence[str]]
"""Host and port to IP addresses; raises OSError if there are none."""


@dataclass(frozen=True)
class Target:
    """Where to connect, and what to say there.

    Attributes:
        scheme: http or https.
        host: The name in the address: for the Host header, and for TLS.
        port: The port.
        path: With the query.
        addresses: IP addresses of the host, all of them checked.
    """

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if _DEFAULT_PORTS[self.scheme] == self.port else f"{host}:{self.port}"

    def __repr__(self) -> str:
        """Without the address, in which secrets are common."""
        return f"Target({self.scheme})"


def resolve(host: str, port: int) -> list[str]:
    """The system's answer.

    Raises:
        OSError: If there is none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # Without the zone of a link-local address, which is refused anyway.
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


def check(url: str, *, allow_private: bool, resolver: Resolver = resolve) -> Target:
    """Where a webhook's address leads now.

    Args:
        url: The address.
        allow_private: Whether it may lead into a private network, or to this machine.
        resolver: Who finds a name's addresses.

    Raises:
        BadRequest: If it is no such address, or leads where none may; the sentence does not repeat it.
    """
    parts = _split(url)
    host, port = parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme]
    try:
        addresses = tuple(resolver(host, port))
    except (OSError, UnicodeError):
        addresses = ()
    if not addresses:
        raise BadRequest("The host of this webhook cannot be found: check the address.")
    if not all(_is_allowed(address, allow_private=allow_private) for address in addresses):
        raise BadRequest(
            "This address leads into a private or special network, where this site must not send anything. Whoever "
            "runs the site can allow private networks with RL_LEADERBOARD_PRIVATE_WEBHOOKS."
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path, addresses)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadRequest("The address of a webhook is not readable.") from None
    is_plain = len(url) <= LONGEST_URL and url.isascii() and url.isprintable() and not set(url) & set(' \\"<>^`{|}')
    if not is_plain or parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(parts.hostname or ""):
        raise BadRequest(
            f"The address of a webhook begins with https:// or http://, in {LONGEST_URL} characters at most."
        )
    if parts.username is not None or parts.password is not None:
        raise BadRequest("Leave name and password out of the address: deliveries are signed instead.")
    if port is not None and port not in _DEFAULT_PORTS.values() and port < _FIRST_FREE_PORT:
        raise BadRequest("The port of a webhook is 80, 443, or 1024 and above.")
    return parts


def _is_allowed(text: str, *, allow_private: bool) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in (*_TRANSLATED, _SITE_LOCAL) if network.version == address.version):
        return False
    if allow_private and (address.is_loopback or address in _SHARED):
        return True
    if address.is_multicast or address.is_unspecified or address.is_link_local or address.is_reserved:
        return False
    return address.is_global or (allow_private and address.is_private)
