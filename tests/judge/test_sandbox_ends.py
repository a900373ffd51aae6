"""Sandboxes end when they are told to, and when whoever started them is gone; nothing of them is left."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from judge_sandbox import MIB, PATIENCE, alive, need, run, started
from rl_leaderboard.judge.sandbox import scratch
from rl_leaderboard.judge.sandbox.launch import CANNOT_START
from rl_leaderboard.judge.sandbox.limits import Limits
from rl_leaderboard.judge.sandbox.orders import Order
from rl_leaderboard.judge.sandbox.processes import start
from rl_leaderboard.judge.sandbox.tiers import NoSandbox, Tier
from rl_leaderboard.judge.sandbox.watch import excess, tree

UP = "print('up', flush=True)\nimport time\ntime.sleep(1000)"


@pytest.fixture(params=[pytest.param(tier, id=tier.name.lower()) for tier in Tier])
def tier(request):
    need(request.param)
    return request.param


def gone(pids):
    until = time.monotonic() + PATIENCE
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(map(alive, pids))


def test_ending_it_kills_all_of_it_and_can_be_done_twice(tier):
    with started(tier, UP) as process:
        assert process.stdout.readline() == b"up\n"
        pids = tree(process.pid)

        process.end()
        process.end()

        assert not any(map(alive, pids))
        assert process.stdout.read() == b""
        assert process.scratch is None or not process.scratch.exists()


def test_killing_only_its_first_process_ends_all_of_it(tier):
    with started(tier, UP) as process:
        assert process.stdout.readline() == b"up\n"
        pids = tree(process.pid)
        os.killpg(process.pid, signal.SIGKILL)

        assert gone(pids)


def test_it_ends_with_whoever_started_it_even_if_that_is_killed(tier, tmp_path):
    code = f"""
import sys
from rl_leaderboard.judge.sandbox import Limits, Tier, start
from rl_leaderboard.judge.sandbox.watch import tree
process = start(Tier[{tier.name!r}], Limits(), "timeit", ["-n1", "-r1", *{UP.splitlines()!r}], readable=[])
assert process.stdout.readline() == b"up\\n"
print(*tree(process.pid), flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"TMPDIR": str(tmp_path)}
    ) as judge:
        ready, _, _ = select.select([judge.stdout], [], [], PATIENCE)
        assert ready
        pids = [int(pid) for pid in judge.stdout.readline().split()]
        assert pids
        assert all(map(alive, pids))
        judge.kill()

    assert gone(pids)


def test_the_folder_of_a_killed_judge_is_removed_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left, kept = scratch.Scratch(), scratch.Scratch()
    for folder in (left, kept):
        (folder.path / "x").touch()
        os.utime(folder.path, (0, 0))
    os.close(left._lock)  # as the kernel does when a process ends

    scratch.sweep()

    assert [path.name for path in tmp_path.iterdir()] == [kept.path.name]
    kept.remove()
    kept.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_sandbox_that_cannot_be_closed_runs_nothing(tmp_path):
    order = Order(
        module="this",
        arguments=[],
        search=[str(Path(__file__).parents[2] / name) for name in ("leaderboard", "units")],
        scratch=str(tmp_path),
        rlimits=[],
        user=None,
        forks=False,
        parent=1,  # not who starts it here
        view=None,
    )
    launcher = Path(sys.modules[Order.__module__].__file__).with_name("launch.py")
    done = subprocess.run([sys.executable, "-I", "-S", launcher, order.text()], capture_output=True, env={})

    assert (done.returncode, done.stdout) == (CANNOT_START, b"")
    assert b"so nothing was run: whoever started it has ended" in done.stderr


def test_a_machine_that_cannot_start_it_says_so(monkeypatch):
    monkeypatch.setattr("rl_leaderboard.judge.sandbox.views.interpreter", lambda: Path("/nowhere/python"))

    with pytest.raises(NoSandbox, match="cannot be started"):
        start(Tier.LANDLOCK, Limits(), "this", [], readable=[])


def test_a_module_that_may_fork_can_close_that_door_in_a_fork(tier):
    need(tier)
    code = """
import os, sys
from rl_leaderboard.judge.sandbox import seccomp
child = os.fork()
child or seccomp.forbid_processes()
try: grandchild = os.fork()
except PermissionError: print('closed', flush=True); os._exit(0)
grandchild or os._exit(0)
os.waitpid(grandchild, 0), os.waitpid(child, 0)
try: os.execv(sys.executable, ['x'])
except PermissionError: print('no programs')
"""
    arguments = ["-n1", "-r1", *code.strip().splitlines()]
    with start(tier, Limits(), "timeit", arguments, readable=[], forks=True) as process:
        output, _ = process.communicate(timeout=PATIENCE)

    assert output.splitlines()[:2] == [b"closed", b"no programs"], process.stderr_text()


def test_memory_is_counted_over_a_whole_tree_of_processes(tmp_path):
    code = """
import os
for _ in range(3):
    if os.fork() == 0: break
kept = b"x" * (40 * 2**20)
os.write(1, b"up\\n")
os.read(0, 1)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for _ in range(4):
            assert process.stdout.readline() == b"up\n"
        assert len(tree(process.pid)) == 4
        assert excess(process.pid, Limits(memory_bytes=4096 * MIB), None) is None
        assert excess(process.pid, Limits(memory_bytes=150 * MIB), None) == "memory"
        assert excess(process.pid, Limits(processes=1), None) == "processes"
        process.stdin.close()


def test_a_folder_nested_too_deeply_to_measure_counts_as_full(tmp_path):
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        for _ in range(30):  # 6000 characters; a path may have 4096
            Path("a" * 200).mkdir()
            os.chdir("a" * 200)
    finally:
        os.chdir(before)

    assert scratch.named(tmp_path, 10_000)[0] > 10_000
    subprocess.run(["rm", "-rf", *tmp_path.iterdir()], check=True)


def test_a_sandbox_that_the_watch_fails_to_look_at_is_ended(tier, monkeypatch, caplog):
    monkeypatch.setattr("rl_leaderboard.judge.sandbox.watch.excess", lambda *_: 1 / 0)

    process, _ = run(tier, UP)

    assert process.overrun == "watch"
    assert "could not be watched" in caplog.text
