"""Where a request comes from, to share what is scarce between places and not between connections."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from fastapi import Request

_LONGEST = 45  # characters of an IPv6 address
_PREFIX = 64


def network_of(request: Request) -> str:
    """The client's address; of IPv6 the network, because everybody has a whole one of those to choose from."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host[:_LONGEST]
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), _PREFIX), strict=False).network_address)
