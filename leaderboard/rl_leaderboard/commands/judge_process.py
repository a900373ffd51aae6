"""The judge that `serve --workers` has beside it: a process that is started again when something kills it."""

import contextlib
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator

_GRACE_SECONDS = 1.0
_PAUSE_SECONDS = 5.0  # what has killed one, such as a lack of memory, may need a moment
_log = logging.getLogger(__name__)


@contextlib.contextmanager
def judging(workers: int, log_level: str) -> Iterator[None]:
    """A judge for as long as the `with` block runs; what it has in hand then is measured after the next start.

    Args:
        workers: Agents that are measured at the same time.
        log_level: Of its log.
    """
    command = [sys.executable, "-m", "rl_leaderboard", "judge", "--workers", str(workers), "--log-level", log_level]
    # Its input ends with this process, also if that is killed: the next one starts a judge of its own.
    keeper = _Keeper([*command, "--until-input-ends"])
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper(threading.Thread):
    """Starts a process, and another one whenever a signal has ended it that was not sent from here.

    One that ends by itself has said why, for example that no sandbox works; another would say the same.
    """

    def __init__(self, command: list[str]) -> None:
        super().__init__(daemon=True, name="judge")
        self._command = command
        self._stopping = threading.Event()
        self._changing = threading.Lock()
        self._process = self._begin()

    def run(self) -> None:
        """Waits for the process to end, and begins again."""
        while not self._stopping.is_set():
            code = self._process.wait()
            if self._stopping.is_set():
                return
            self._let_go()
            if code >= 0:
                _log.error("The judge has ended with code %d: nothing is measured until the next start.", code)
                return
            _log.error("The judge was killed by signal %d. Another one starts in %g s.", -code, _PAUSE_SECONDS)
            self._stopping.wait(_PAUSE_SECONDS)
            with self._changing:
                if not self._stopping.is_set():
                    self._process = self._begin()

    def stop(self) -> None:
        """Ends the process."""
        with self._changing:
            self._stopping.set()
        # Twice is at once. Ctrl-C in a terminal has reached it already.
        for _ in range(2):
            if self._process.poll() is None:
                self._process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(_GRACE_SECONDS)
        self._let_go()
        self._process.wait()
        self.join()

    def _let_go(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _begin(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=subprocess.PIPE)  # noqa: S603  this program
