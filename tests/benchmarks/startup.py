"""How long a student waits for the first sign of life."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

REPETITIONS = 15
IMPORT = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def measure() -> Iterator[str]:
    """Import time inside a fresh interpreter, and wall time of whole commands; the Zoo's beside ours."""
    yield f"medians of {REPETITIONS} fresh processes, after one that fills the caches"
    yield f"import rl_units.course, rl_units.results   {import_time('rl_units.course, rl_units.results') * 1e3:7.0f} ms"
    yield f"import numpy (for comparison)              {import_time('numpy') * 1e3:7.0f} ms"
    yield f"python -c pass (the interpreter itself)    {wall_time('-c', 'pass') * 1e3:7.0f} ms"
    yield f"python -m rl_units --help                  {wall_time('-m', 'rl_units', '--help') * 1e3:7.0f} ms"
    yield f"python -m rl_units train --help            {wall_time('-m', 'rl_units', 'train', '--help') * 1e3:7.0f} ms"
    zoo = wall_time("-m", "rl_zoo3.train", "--help", repetitions=3)
    yield f"python -m rl_zoo3.train --help (3 runs)    {zoo * 1e3:7.0f} ms"


def import_time(modules: str) -> float:
    """Median seconds of an import."""

    def once() -> float:
        command = [sys.executable, "-c", IMPORT.format(modules)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    once()
    return statistics.median(once() for _ in range(REPETITIONS))


def wall_time(*arguments: str, repetitions: int = REPETITIONS) -> float:
    """Median seconds of a whole command."""

    def once() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        return time.perf_counter() - start

    once()
    return statistics.median(once() for _ in range(repetitions))
