"""The host that the corpus attacks: what lies there to be taken, and what has to be as it was after each case."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rl_leaderboard.judge.players import PlayersUnavailable, warm
from rl_leaderboard.judge.players.channel import Channel
from rl_leaderboard.judge.sandbox.limits import Limits
from rl_leaderboard.judge.sandbox.processes import SandboxProcess, start
from rl_leaderboard.judge.sandbox.scene import Scene
from rl_leaderboard.judge.sandbox.tiers import Tier
from rl_leaderboard.judge.sandbox.watch import tree

MARKER = "RL_CORPUS_MARKER"
"""Environment variable with the path that a payload of the corpus makes; nothing else is what a payload does."""
_CANARY = "RL_CORPUS_CANARY"
_PLACES = ("/", "/tmp", "/var/tmp", "/dev/shm")
_NEIGHBOUR = """
import os, sys, tempfile
open(tempfile.gettempdir() + "/agent.json", "w").write(os.environ.setdefault("WEIGHTS", sys.stdin.readline()))
print("ready", flush=True)
sys.stdin.read()
"""


class Sandboxes:
    """Starts sandboxed processes for a pool, and remembers them with all that they send.

    Args:
        tier: The kind of sandbox.
        limits: Of each.
        mark: Stands in the command line of every process of a sandbox.
        code: Python to run instead of the module; None for the module itself.
    """

    def __init__(self, tier: Tier, limits: Limits, mark: str, code: str | None = None) -> None:
        self._tier, self._limits, self._mark, self._code = tier, limits, mark, code
        self.processes: list[SandboxProcess] = []

    def __call__(self, module: str, arguments: Sequence[str]) -> SandboxProcess:
        if self._code is None:
            arguments = [self._mark]
        else:
            # The module timeit runs text: it is in the standard library, which every sandbox sees.
            module, arguments = "timeit", ["-n1", "-r1", f"exec({self._code!r}, {{}})  # {self._mark}"]
        process = start(self._tier, self._limits, module, arguments, readable=[], forks=True)
        self.processes.append(process)
        return process


class Host:
    """What an attack could reach without a sandbox; a context manager.

    Attributes:
        tier: The kind of sandbox.
        mark: Names the sandboxes of this corpus, and every file that an attack tries to leave.
        marker: What a payload would make.
        sent: Whatever the processes of the last case have sent.
        temporary: The folder of all temporary files meanwhile.
    """

    def __init__(self, tier: Tier) -> None:
        self.tier = tier
        self.mark = f"rl-corpus-{secrets.token_hex(8)}"
        self.sent: list[bytes] = []
        self._all: list[Sandboxes] = []
        self._closing = contextlib.ExitStack()

    def __enter__(self) -> "Host":
        with self._closing:
            temporary = Path(self._closing.enter_context(tempfile.TemporaryDirectory(prefix="corpus-")))
            temporary.chmod(0o755)
            # Of its own, so that whatever a case leaves there is seen.
            self._closing.enter_context(_replaced(tempfile, "tempdir", str(temporary)))
            self.temporary = temporary
            self._scene = self._closing.enter_context(Scene())
            self.marker = self._scene.folder / "marker"  # everybody may write there
            self._word = self._scene.targets(Limits()).word
            self._closing.enter_context(_variables({_CANARY: self._word, MARKER: str(self.marker)}))
            self._closing.enter_context(_replaced(warm, "Channel", self._recording()))
            self._start_neighbour()
            self._closing = self._closing.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    def sandboxes(self, limits: Limits, code: str | None = None) -> Sandboxes:
        """A launcher of sandboxed processes; see `Sandboxes`."""
        self._all.append(Sandboxes(self.tier, limits, self.mark, code))
        return self._all[-1]

    def _start_neighbour(self) -> None:
        """Another submission's sandbox, with something to copy in its folder, its memory and its environment."""
        sandboxes = self.sandboxes(Limits(), _NEIGHBOUR)
        process = self._closing.enter_context(sandboxes("", []))
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{self._word}\n".encode())
        process.stdin.flush()
        if process.stdout.readline() != b"ready\n":
            raise PlayersUnavailable(process.stderr_text())
        self._neighbour = process

    def _recording(self) -> type[Channel]:
        sent = self.sent

        class Recording(Channel):
            """Keeps what it reads."""

            def _read(self, length: int, deadline: float) -> bytearray:
                content = super()._read(length, deadline)
                sent.append(bytes(content))
                return content

        return Recording

    def targets(self) -> dict[str, object]:
        """What an attack is told: all but the secret itself."""
        aims = self._scene.targets(Limits())
        known = {name: getattr(aims, name) for name in ("secret", "folder", "process", "tcp", "udp", "unix")}
        return {
            **known,
            "judge": os.getpid(),
            "neighbour": self._neighbour.pid,
            "temporary": str(self.temporary),
            "mark": self.mark,
        }

    @contextlib.contextmanager
    def watched(self, sandboxes: Sandboxes) -> Iterator[list[str]]:
        """Watches one case.

        Args:
            sandboxes: Those that serve it.

        Yields:
            What is not as it should be; filled when the context ends.
        """
        self.sent.clear()
        before, older = self._files(), set(sandboxes.processes)
        complaints: list[str] = []
        yield complaints
        complaints += [f"it has left {path}" for path in sorted(self._files() - before)]
        if self.marker.exists():
            self.marker.rmdir()
            complaints.append("its code was run")
        said = [process.stderr_text().encode() for process in sandboxes.processes if process not in older]
        if any(self._word.encode() in content for content in [*said, *self.sent]):
            complaints.append("it has sent the secret")
        complaints += [f"it could {attempt.value}" for attempt, through in self._scene.evidence().items() if through]
        complaints += self._leftovers()

    def _files(self) -> set[str]:
        """Files with the mark where everybody may write, and all temporary ones but those of sandboxes that run."""
        marked = {str(path) for place in _PLACES for path in Path(place).glob(f"*{self.mark}*")}
        running = [process.scratch for process in self._running()]
        own = {
            path for path in self.temporary.rglob("*") if not any(path.is_relative_to(one) for one in running if one)
        }
        return marked | {str(path) for path in own}

    def _running(self) -> list[SandboxProcess]:
        return [process for sandboxes in self._all for process in sandboxes.processes if process.poll() is None]

    def _leftovers(self) -> list[str]:
        """Processes of the corpus that belong to no sandbox that waits for the next submission."""
        waiting = {pid for process in self._running() for pid in tree(process.pid)}
        return [f"its process {pid} is still there" for pid in sorted(self._marked() - waiting)]

    def _marked(self) -> set[int]:
        found = set()
        for path in Path("/proc").glob("[0-9]*/cmdline"):  # that of a zombie is empty
            with contextlib.suppress(OSError):
                if self.mark.encode() in path.read_bytes():
                    found.add(int(path.parent.name))
        return found


@contextlib.contextmanager
def _replaced(owner: object, name: str, value: object) -> Iterator[None]:
    old = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, old)


@contextlib.contextmanager
def _variables(values: dict[str, str]) -> Iterator[None]:
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]
