import contextlib
import socket


def attack(judge, aims):
    for path in (aims["unix"], "/run/docker.sock", "/var/run/postgresql/.s.PGSQL.5432", "/run/dbus/system_bus_socket"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            judge.tell(f"connected to {path}")
