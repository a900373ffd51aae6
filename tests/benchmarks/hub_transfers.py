"""Sending and fetching a large file by the Hub: 200 MB by LFS and by Xet, alone and eight clients at once.

The other side of each figure is the least that any server has to do with the same bytes on the same disk: hash them
and write them, or read them. Clients are processes of their own, with a fresh cache each.
"""

import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.hub_process import serving

from rl_hub.accounts import tokens, users
from rl_hub.hub import Hub
from rl_hub.settings import Settings

MEGABYTE = 10**6
FILE_MEGABYTES = 200
REPETITIONS = 3
CLIENTS = 8

# What one client does; it prints its seconds for each step, interpreter and imports not counted.
CLIENT = """
import json, os, sys, time
from huggingface_hub import HfApi, hf_hub_download
api = HfApi()
source, repo_id, folder = sys.argv[1:]
api.create_repo(repo_id, exist_ok=True)
print("ready", flush=True)
sys.stdin.readline()
start = time.perf_counter()
api.upload_file(path_or_fileobj=source, path_in_repo="agent.bin", repo_id=repo_id)
up = time.perf_counter() - start
print("sent", flush=True)
sys.stdin.readline()
start = time.perf_counter()
path = hf_hub_download(repo_id, "agent.bin", cache_dir=folder)
print(json.dumps({"up": up, "down": time.perf_counter() - start, "size": os.path.getsize(path)}), flush=True)
"""


def measure() -> Iterator[str]:
    """Throughput and the server's peak memory, each transfer with fresh random bytes."""
    yield f"{FILE_MEGABYTES} MB of random bytes, medians of {REPETITIONS}, client and server on this machine"
    with tempfile.TemporaryDirectory() as temporary:
        floor = statistics.median(_hash_and_write(Path(temporary)) for _ in range(REPETITIONS))
    yield f"hash and write, no network       {FILE_MEGABYTES / floor:7.0f} MB/s"
    for name, xet in (("LFS", False), ("Xet", True)):
        for clients in (1, CLIENTS):
            yield from _transfers(name, xet, clients, floor)


def _transfers(name: str, xet: bool, clients: int, floor: float) -> Iterator[str]:
    ups, downs, memory = [], [], []
    for _ in range(REPETITIONS if clients == 1 else 1):
        with tempfile.TemporaryDirectory() as temporary:
            up, down, peak = _one_round(Path(temporary), xet, clients)
        ups.append(up)
        downs.append(down)
        memory.append(peak)
    megabytes = FILE_MEGABYTES * clients
    up, down = statistics.median(ups), statistics.median(downs)
    who = "1 client " if clients == 1 else f"{clients} clients"
    yield (
        f"{name}, {who}  up {megabytes / up:5.0f} MB/s ({floor * clients / up:.2f} of the floor)   "
        f"down {megabytes / down:5.0f} MB/s   server's peak memory {max(memory) / MEGABYTE:5.0f} MB"
    )


def _one_round(folder: Path, xet: bool, clients: int) -> tuple[float, float, int]:
    """Seconds until the last client has sent, until the last has fetched, and the server's peak memory in bytes."""
    students = _students(folder / "hub", clients)
    with serving(folder / "hub") as hub:
        processes = [_client(folder, hub.endpoint, *student, xet) for student in students]
        _await(processes, "ready")
        start = time.perf_counter()
        _go(processes)
        _await(processes, "sent")
        up = time.perf_counter() - start
        start = time.perf_counter()
        _go(processes)
        figures = [json.loads(process.communicate()[0]) for process in processes]
        down = time.perf_counter() - start
        if any(figure["size"] != FILE_MEGABYTES * MEGABYTE for figure in figures):
            raise RuntimeError("A file came back with another size.")
        if clients == 1:
            up, down = figures[0]["up"], figures[0]["down"]
        return up, down, hub.peak_memory()


def _students(data: Path, count: int) -> list[tuple[str, str]]:
    """Names and tokens: every client is a student of its own."""
    hub = Hub.open(Settings(data))
    names = [f"student-{number}" for number in range(count)]
    with hub.database.write() as connection:
        made = [tokens.create(connection, users.create(connection, name).id, "bench", "write") for name in names]
    hub.close()
    return list(zip(names, made, strict=True))


def _client(folder: Path, endpoint: str, name: str, token: str, xet: bool) -> subprocess.Popen[str]:
    source = folder / f"source-{name}.bin"
    source.write_bytes(os.urandom(FILE_MEGABYTES * MEGABYTE))
    environment = {
        **os.environ,
        "HF_ENDPOINT": endpoint,
        "HF_TOKEN": token,
        "HF_HOME": str(folder / f"home-{name}"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "0" if xet else "1",
    }
    return subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(source), f"{name}/agent", str(folder / f"cache-{name}")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def _await(processes: list[subprocess.Popen[str]], word: str) -> None:
    for process in processes:
        line = process.stdout.readline() if process.stdout else ""
        if line.strip() != word:
            raise RuntimeError(f"A client said {line!r} instead of {word!r}.")


def _go(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        if process.stdin:
            process.stdin.write("go\n")
            process.stdin.flush()


def _hash_and_write(folder: Path) -> float:
    content = os.urandom(FILE_MEGABYTES * MEGABYTE)
    start = time.perf_counter()
    digest = hashlib.sha256()
    with (folder / "floor.bin").open("wb", buffering=0) as file:
        for offset in range(0, len(content), 2**20):
            piece = content[offset : offset + 2**20]
            digest.update(piece)
            file.write(piece)
        os.fsync(file.fileno())
    return time.perf_counter() - start
