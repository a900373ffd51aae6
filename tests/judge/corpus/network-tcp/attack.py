import contextlib
import socket


def attack(judge, aims):
    for family, address in (
        (socket.AF_INET, ("127.0.0.1", aims["tcp"])),
        (socket.AF_INET, ("192.0.2.1", 53)),
        (socket.AF_INET6, ("::1", aims["tcp"])),
    ):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as client:
            client.settimeout(1)
            client.connect(address)
            judge.tell(f"connected to {address}")
