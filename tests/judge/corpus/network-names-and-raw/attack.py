import contextlib
import socket


def attack(judge, _aims):
    found = []
    for family, kind in (
        (socket.AF_INET, socket.SOCK_RAW),
        (socket.AF_PACKET, socket.SOCK_RAW),
        (socket.AF_NETLINK, 3),
    ):
        with contextlib.suppress(OSError):
            socket.socket(family, kind).close()
            found.append(f"{family!r}")
    with contextlib.suppress(OSError), socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        server.listen()
        found.append("listens")
    with contextlib.suppress(OSError):
        found.append(socket.getaddrinfo("localhost.example", 80))
    if found:
        judge.tell(found)
