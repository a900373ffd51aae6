"""A classroom with 100,000 agents on a board: pages under load, events to 500 browsers, start and memory.

wrk asks on loopback, with 8 connections unless said; it is bounded and stops by itself. The other side of each rate is
a server that sends the same bytes from memory, and the same page for somebody who is signed in.
"""

import asyncio
import contextlib
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from leaderboard_agents import ASSIGNMENT, push
from leaderboard_process import serving, start
from rl_leaderboard.activity import feed
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.people import people, sessions
from rl_leaderboard.settings import Settings
from rl_leaderboard.submissions import reception

AGENTS = 100_000
PAGE = 1000
ROWS_A_PAGE = 50
CONNECTIONS = 8
SECONDS = 5
REPETITIONS = 3
BROWSERS = 500
EVENTS = 5
STARTS = 5
SUBMISSIONS = 50
_BARE = """
import sys, uvicorn
body = open(sys.argv[1], "rb").read()
headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode())]
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)
Server(uvicorn.Config(app, port=0, log_level="error", access_log=False, lifespan="off")).run()
"""


def measure() -> Iterator[str]:
    """Rates and times with 100,000 agents in SQLite."""
    # An installed package has its modules compiled; developers often ask Python not to keep them so.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / "classroom"
        cookie = _fill(data)
        first, deep = f"/boards/{ASSIGNMENT}", f"/boards/{ASSIGNMENT}?rank={(PAGE - 1) * ROWS_A_PAGE + 1}"
        yield f"{AGENTS:,} agents on a board, one server process"
        with serving(data, hub=False) as classroom:
            page = Path(temporary) / "page.html"
            with urllib.request.urlopen(classroom.address + first) as answer:
                page.write_bytes(answer.read())
            with _bare_server(page) as bare:
                yield _row(f"a bare server, the first page's {page.stat().st_size // 1000} kB", bare, "/")
            yield _row("first page", classroom.address, first)
            yield _row(f"page {PAGE:,}", classroom.address, deep)
            yield _row("  first page, signed in", classroom.address, first, cookie)
            yield _row(f"  page {PAGE:,}, signed in", classroom.address, deep, cookie)
            for connections in (1, 2, 8):
                title = f"a student's page with {SUBMISSIONS} submissions, {connections} at once"
                yield _row(title, classroom.address, "/me", cookie, connections)
            slowest = asyncio.run(_events(classroom.address, data))
            yield (
                f"an event, written by another process, reaches {BROWSERS} event streams: "
                f"median {statistics.median(slowest):.2f} s, slowest {max(slowest):.2f} s"
            )
            yield f"server's memory after all that  {classroom.memory / 10**6:.0f} MB"
        yield f"start to first answer  {statistics.median(_start(data) for _ in range(STARTS)):.2f} s (this classroom)"
        new = statistics.median(_start(Path(temporary) / f"new-{number}") for number in range(STARTS))
        yield f"start to first answer  {new:.2f} s (a new classroom, its databases created)"
        with serving(Path(temporary) / "new-0") as idle:
            urllib.request.urlopen(idle.address + "/boards").read()
            yield f"memory of a classroom with its Hub, just started  {idle.memory / 10**6:.0f} MB"


def _fill(data: Path) -> str:
    """Fills a board; returns the session of a student with many submissions."""
    classroom = Classroom.open(Settings(data))
    chance = random.Random(1)
    for first in range(0, AGENTS, 1000):
        pushes = [_push(number, chance) for number in range(first, min(first + 1000, AGENTS))]
        with classroom.write() as connection:
            reception.receive(connection, classroom.course, pushes)
    ada = [push("ada", mean=200 + number, sha=f"{number:040x}", minutes_ago=1000) for number in range(SUBMISSIONS)]
    with classroom.write() as connection:
        reception.receive(connection, classroom.course, ada)
        person = people.welcome(connection, people.Arrival(people.HUB, "ada", "ada", people.HUB))
        session = sessions.create(connection, person.id)
    classroom.close()
    return f"{sessions.COOKIE}={session.id}"


def _push(number: int, chance: random.Random) -> reception.Push:
    mean, std = chance.gauss(300, 150), abs(chance.gauss(60, 30))
    minutes = 100 + chance.random() * timedelta(days=300) / timedelta(minutes=1)
    return push(f"student-{number:06d}", mean=mean, std=std, sha=f"{number:040x}", minutes_ago=minutes)


def _row(title: str, endpoint: str, path: str, cookie: str = "", connections: int = CONNECTIONS) -> str:
    """Median rate and 99th percentile of several runs of wrk."""
    runs = [_load(endpoint + path, cookie, connections) for _ in range(REPETITIONS)]
    rate, slow = (statistics.median(values) for values in zip(*runs, strict=True))
    return f"{title:58} {rate:7.0f} requests/s   99 % within {slow:6.1f} ms"


def _load(address: str, cookie: str, connections: int) -> tuple[float, float]:
    """Requests a second, and the milliseconds within which 99 % were answered."""
    if shutil.which("wrk") is None:
        raise RuntimeError("This benchmark needs wrk: apt-get install wrk")
    headers = ["-H", f"Cookie: {cookie}"] if cookie else []
    command = ["wrk", "--latency", "-t1", f"-c{connections}", f"-d{SECONDS}s", *headers, address]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise RuntimeError(f"{address} was not answered well:\n{output}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", output)
    assert rate, output
    assert slow, output
    return float(rate[1]), float(slow[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[slow[2]]


@contextlib.contextmanager
def _bare_server(page: Path) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", _BARE, str(page)], stdout=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


async def _events(endpoint: str, data: Path) -> list[float]:
    """Seconds until the last of many open streams has an event, for each of a few events."""
    host, port = endpoint.removeprefix("http://").split(":")
    streams = [await asyncio.open_connection(host, int(port)) for _ in range(BROWSERS)]
    for reader, writer in streams:
        writer.write(f"GET /live HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(2)
    classroom = Classroom.open(Settings(data))
    slowest = []
    for number in range(EVENTS):
        mark = f"event-{number}-of-the-benchmark".encode()
        began = time.perf_counter()
        with classroom.write() as connection:
            feed.record(connection, "received", {"student": mark.decode()}, assignment_id=ASSIGNMENT)
        await asyncio.gather(*(reader.readuntil(mark) for reader, _ in streams))
        slowest.append(time.perf_counter() - began)
    for _, writer in streams:
        writer.close()
    classroom.close()
    return slowest


def _start(data: Path) -> float:
    began = time.perf_counter()
    classroom = start(data)
    with urllib.request.urlopen(classroom.address + "/healthz") as answer:
        answer.read()
    seconds = time.perf_counter() - began
    classroom.stop()
    return seconds
