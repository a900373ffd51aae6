"""`make bench`: each figure with both sides measured in one run, medians, and the machine that it was seen on."""

import argparse
import os
import platform
import subprocess
from pathlib import Path

from tests.benchmarks import (
    bridge_connect,
    bridge_learning,
    bridge_serve,
    checkpoint,
    dqn_training,
    evaluation,
    hub_crashes,
    hub_listing,
    hub_transfers,
    judge_coverage,
    judge_crashes,
    judge_players,
    judge_queue,
    judge_verdicts,
    leaderboard_boards,
    leaderboard_crashes,
    leaderboard_ingest,
    snowball_faces,
    snowball_learning,
    snowball_rendering,
    snowball_speed,
    startup,
)

BENCHMARKS = {
    "bridge-connect": bridge_connect.measure,
    "bridge-serve": bridge_serve.measure,
    "bridge-learn": bridge_learning.measure_time,
    "bridge-training": bridge_learning.measure_training,
    "startup": startup.measure,
    "evaluation": evaluation.measure,
    "checkpoint": checkpoint.measure,
    "dqn": dqn_training.measure,
    "transfers": hub_transfers.measure,
    "listing": hub_listing.measure,
    "crashes": hub_crashes.measure,
    "boards": leaderboard_boards.measure,
    "ingest": leaderboard_ingest.measure,
    "classroom-crashes": leaderboard_crashes.measure,
    "coverage": judge_coverage.measure,
    "judge-players": judge_players.measure,
    "judge-queue": judge_queue.measure,
    "judge-verdicts": judge_verdicts.measure,
    "judge-crashes": judge_crashes.measure,
    "snowball-faces": snowball_faces.measure,
    "snowball-learning": snowball_learning.measure,
    "snowball-rendering": snowball_rendering.measure,
    "snowball": snowball_speed.measure,
}


def machine() -> str:
    """Processor, cores, memory and load, in a line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, load {os.getloadavg()[0]:.1f}, {platform.platform()}"


def main() -> None:
    """Runs the chosen benchmarks and prints their tables."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*BENCHMARKS, []], help="all of them by default")
    chosen = parser.parse_args().only or list(BENCHMARKS)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    print(f"Machine: {machine()}\nPython {platform.python_version()}, commit {commit or 'unknown'}\n")
    for name in chosen:
        print(f"== {name} ==", flush=True)
        for line in BENCHMARKS[name]():
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
