"""A served classroom and its judge, each in processes of its own that are killed and started again."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil

from hub_process import launch
from judge_leftovers import descendants
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.settings import Settings
from rl_units.course import load_course

LEASE_SECONDS = 3.0
WORKERS = 2
_COMMAND = [sys.executable, str(Path(__file__).with_name("short_classroom.py"))]
_PAGES, _HUB = re.compile(r"The classroom is at \S+:(\d+)"), re.compile(r"HF_ENDPOINT=(\S+):(\d+)")
_PATIENCE = 60
# What the judge's log says, and what that means.
_LOGGED = {
    "is another worker's by now": "measurements thrown away, because the lease was over",
    "Put off": "measurements put off",
    "could not be measured": "measurements that failed for a reason of the judge's own",
    "a problem of the classroom's own": "problems of workers between jobs",
    "is started again": "workers started again",
}


class Services:
    """The processes of a classroom; a context manager that ends them.

    Args:
        folder: Of the classroom, its course in `course`, logs and temporary files.
        database_url: The classroom's; None for SQLite.
        engine: What keeps the queue.
    """

    def __init__(self, folder: Path, database_url: str | None, engine: str) -> None:
        self.settings = Settings(folder / "data", database_url=database_url, judge_queue=engine)
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._folder = folder
        given = {"DATA": self.settings.data, "DATABASE": database_url or "", "JUDGE_QUEUE": engine}
        self._environment = {
            **{f"RL_LEADERBOARD_{name}": str(value) for name, value in given.items()},
            "SHORT_COURSE": str(folder / "course"),
            "SHORT_LEASE": str(LEASE_SECONDS),
            "TMPDIR": str(self.temporary),
        }
        self._besides = {child.pid for child in psutil.Process().children()}
        self._running: dict[str, subprocess.Popen] = {}

    def open_classroom(self) -> Classroom:
        """The classroom with its course; the caller closes it."""
        return Classroom.open(self.settings, load_course(self._folder / "course"))

    def __enter__(self) -> "Services":
        command = [*_COMMAND, "serve", "--port", "0", "--hub-port", "0", "--log-level", "ERROR"]
        with (self._folder / "server.log").open("ab") as log:
            self._running["server"], greeting = launch(command, _HUB, self._environment, log)
        (pages,), (address, port) = _PAGES.search(greeting).groups(), _HUB.search(greeting).groups()
        self.endpoint = f"{address}:{port}"
        self._ports = ["--port", pages, "--hub-port", port]
        self._server_began = time.monotonic()
        self._start("judge")
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()

    @property
    def server_is_new(self) -> bool:
        """Whether the server may not be there yet, or was killed a moment ago."""
        return time.monotonic() - self._server_began < _PATIENCE

    def ended(self) -> list[str]:
        """Those that have ended although nobody has killed them."""
        return [name for name, process in self._running.items() if process.poll() is not None]

    def kill(self, victim: str, chance) -> str:
        """Kills one without warning, which is started again; returns which: the judge, if it has no worker yet."""
        if victim == "worker" and (worker := self._worker(chance)) is not None:
            worker.kill()
            return victim
        victim = "judge" if victim == "worker" else victim
        if victim == "server":
            # Before anybody can notice that it is gone.
            self._server_began = time.monotonic()
        self._running[victim].kill()
        self._running[victim].wait()
        self._start(victim)
        return victim

    def stop_a_worker(self, chance, wait) -> bool:
        """Lets a worker stand still until `wait` returns; whether there was one."""
        worker = self._worker(chance)
        if worker is None:
            return False
        worker.suspend()
        wait()
        worker.resume()
        return True

    def end(self) -> list[str]:
        """Asks all to end; returns what was wrong with how they did, as sentences."""
        faults = []
        for name, process in self._running.items():
            process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                faults.append(f"The {name} did not end when it was asked to.")
            else:
                faults += [f"The {name} ended with {code}."] if code else []
        return faults

    def log_counts(self) -> Counter:
        """What the judge's log tells of."""
        log = (self._folder / "judge.log").read_text(errors="replace")
        return Counter({meaning: log.count(text) for text, meaning in _LOGGED.items()})

    def log_ends(self) -> str:
        """The ends of both logs, for somebody who looks for a fault."""
        return "\n".join(f"{name}\n{path.read_text(errors='replace')[-6000:]}" for name, path in self._logs().items())

    def _logs(self) -> dict[str, Path]:
        return {name: self._folder / f"{name}.log" for name in ("server", "judge")}

    def _worker(self, chance) -> psutil.Process | None:
        """Any worker, also of a judge that was killed."""
        workers = []
        for process in descendants(self._besides):
            try:
                if "spawn_main" in " ".join(process.cmdline()):
                    workers.append(process)
            except psutil.NoSuchProcess:
                continue
        return chance.choice(workers) if workers else None

    def _start(self, name: str) -> None:
        """Starts one, and does not wait until it is there."""
        options = ["serve", *self._ports] if name == "server" else ["judge", "--workers", str(WORKERS)]
        level = "ERROR" if name == "server" else "WARNING"
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [*_COMMAND, *options, "--log-level", level],
                env={**os.environ, **self._environment},
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
