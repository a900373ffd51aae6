"""What a judge that was killed again and again may have left on its machine: processes, folders, films."""

import os
import tempfile
import time
from pathlib import Path

import psutil

from rl_leaderboard.classroom import Classroom
from rl_leaderboard.judge.retention import Sweeper
from rl_leaderboard.judge.sandbox import scratch, seccomp

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
_GONE_SECONDS = 20
# Made by onnxruntime, once, wherever temporary files are.
_OTHERS = {".ses"}


def adopt_orphans() -> None:
    """Lets whatever descends from this process stay its descendant when its parent ends, so that it is found."""
    seccomp.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def descendants(besides: set[int]) -> list[psutil.Process]:
    """What runs below this process, without the children that are named and all below them."""
    children = [child for child in psutil.Process().children() if child.pid not in besides]
    found = []
    for child in children:
        try:
            found += [process for process in (child, *child.children(recursive=True)) if _runs(process)]
        except psutil.NoSuchProcess:
            continue
    return found


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def process_faults(besides: set[int]) -> list[str]:
    """What still runs in a while although all was stopped, as sentences; it is ended."""
    until = time.monotonic() + _GONE_SECONDS
    while (left := descendants(besides)) and time.monotonic() < until:
        time.sleep(0.2)
    faults = []
    for process in left:
        try:
            faults.append(f"Still runs: {' '.join(process.cmdline())[:200]}")
            process.kill()
        except psutil.NoSuchProcess:
            continue
    return faults


def folder_faults(temporary: Path) -> list[str]:
    """What lies in the folder of temporary files after the sweep that the next sandbox begins with, as sentences.

    Args:
        temporary: A folder that nobody else uses.
    """
    for path in temporary.iterdir():
        os.utime(path, (0, 0))  # young ones would stay
    before, tempfile.tempdir = tempfile.tempdir, str(temporary)
    try:
        scratch.sweep()
    finally:
        tempfile.tempdir = before
    return [f"Left behind: {name}" for name in sorted({path.name for path in temporary.iterdir()} - _OTHERS)]


def film_faults(classroom: Classroom, named: set[str]) -> list[str]:
    """Compares the films with those that evaluations name, after the two looks of a sweeper, as sentences."""
    sweeper = Sweeper(classroom)
    sweeper.sweep()
    sweeper.sweep()
    there = {path.stem for path in classroom.files.iterdir()}
    faults = [f"The film {name} is missing." for name in sorted(named - there)]
    return faults + [f"Nobody names the film {name}." for name in sorted(there - named)]
