"""The program in the sandbox: a fresh fork for each submission, and the next only after nothing is left of the last."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from judge_players import ROOT, Launched, inside_with, pool_of
from rl_leaderboard.judge.players import AgentFailed
from rl_leaderboard.judge.players.conversion import AgentFile
from rl_units.course import Protocol

CARTPOLE = Protocol("cart-pole", 1, "CartPole-v1", n_episodes=4)
FILES = [AgentFile("agent.json", b"{}")]

ANSWERING = """
def play(pipe, opening, folder):
    load(pipe, opening)
    while True:
        kind, length = pipe.header()
        body = pipe.body(length)
        if kind == Kind.END:
            return
        answer(pipe, folder)
def act(pipe):
    pipe.send(frame(Kind.ACTIONS, bytes(8)))
"""


def twice(code, **limits):
    """Two submissions, one after the other, whose forks answer a batch by `code`; gives the processes started."""
    launcher = inside_with(ANSWERING + code)
    with pool_of(launcher, **limits) as pool:
        for _ in range(2):
            with pool.play(FILES, CARTPOLE) as agent:
                assert agent.act(np.zeros((1, 4), np.float32)).tolist() == [0]
    return launcher.processes


def test_a_clean_end_leaves_the_process_for_the_next():
    assert len(twice("def answer(pipe, folder): act(pipe)")) == 1


NOT_CLEAN = {
    "a-child-that-lives-on": "if os.fork() == 0: os.closerange(0, 64); time.sleep(600)",
    "a-daemon": "if os.fork() == 0: os.setsid(); os.fork(); os.closerange(0, 64); time.sleep(600)",
    "narrower-limits": "import resource as r; r.prlimit(os.getppid(), r.RLIMIT_CORE, (0, 0))",
    "another-processor": "os.sched_setaffinity(os.getppid(), {min(os.sched_getaffinity(0))})",
    "lower-priority": "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
    "an-exit-code": "act(pipe); os._exit(7)",
    "one-answer-too-many": "act(pipe)",
    "a-dead-parent": "act(pipe); pipe.header(); os.kill(os.getppid(), 9)",
}


@pytest.mark.parametrize("deed", NOT_CLEAN.values(), ids=NOT_CLEAN)
def test_whatever_is_left_behind_ends_the_process_before_the_next(deed):
    if "affinity" in deed and len(os.sched_getaffinity(0)) == 1:
        pytest.skip("there is one processor only")
    processes = twice(f"def answer(pipe, folder):\n    {deed}\n    act(pipe)", end_seconds=10)

    assert len(processes) >= 2
    assert all(process.poll() is not None for process in processes)


@pytest.mark.parametrize("parents_end", ["os._exit(0)", "time.sleep(600)"], ids=["orphans", "generations"])
def test_no_process_of_a_submission_outlives_it(tmp_path, parents_end):
    note = tmp_path / "pid"
    twice(
        f"""
def answer(pipe, folder):
    if os.fork() == 0:
        os.setsid()
        os.closerange(0, 64)
        if os.fork() == 0:
            open({str(note)!r}, "a").write(f"{{os.getpid()}}\\n")
            time.sleep(600)
        {parents_end}
    while not os.path.exists({str(note)!r}):
        time.sleep(0.01)
    act(pipe)
""",
        end_seconds=10,
    )

    for number in note.read_text().split():
        deadline = time.monotonic() + 30
        while is_alive(int(number)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not is_alive(int(number))


def is_alive(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_is_written_to_the_scratch_folder_is_gone_before_the_next():
    code = """
def answer(pipe, folder):
    above = folder.parent
    old = [path for path in above.iterdir() if path != folder]
    (above / "note").write_text("for the next")
    (above / "deep" / "er").mkdir(parents=True)
    os.symlink("/", above / "link")
    pipe.send(frame(Kind.ACTIONS, bytes([0 if not old else 9, 0, 0, 0, 0, 0, 0, 0])))
"""
    assert len(twice(code)) == 1


def test_memory_that_a_submission_changes_is_not_the_nexts():
    code = """
import builtins
def answer(pipe, folder):
    seen = getattr(builtins, "seen", 0)
    builtins.seen = 1
    os.environ["SEEN"] = "1"
    pipe.send(frame(Kind.ACTIONS, bytes([seen, 0, 0, 0, 0, 0, 0, 0])))
"""
    assert len(twice(code)) == 1


def test_a_stream_made_non_blocking_is_mended():
    code = """
def answer(pipe, folder):
    act(pipe)
    pipe.header()
    os.set_blocking(pipe.reading, False)
    os.set_blocking(pipe.writing, False)
    os._exit(0)
"""
    assert len(twice(code)) == 1


def test_an_opening_left_in_the_pipe_serves_nobody_else():
    # It reopens its own input for writing and leaves the message that begins a submission.
    code = """
def answer(pipe, folder):
    act(pipe)
    descriptor = os.open(f"/proc/self/fd/{pipe.reading}", os.O_WRONLY)
    document = {"nonce": "mine", "task": "play", "protocol": {}, "algo": None, "files": []}
    kind, length = pipe.header()
    for piece in json_frame(Kind.OPENING, document):
        os.write(descriptor, piece)
    os._exit(0)
"""
    processes = twice(code, end_seconds=10)

    assert len(processes) == 2, "the second submission is served by a new process, and not by the one that was prepared"


def test_the_memory_of_the_process_cannot_be_written_by_a_submissions():
    if os.geteuid() == 0:
        pytest.skip("root may write any memory; in a sandbox nobody is root")
    code = """
def answer(pipe, folder):
    try:
        os.open(f"/proc/{os.getppid()}/mem", os.O_RDWR)
    except PermissionError:
        act(pipe)
"""
    assert len(twice(code)) == 1


@pytest.mark.parametrize(
    ("deed", "reason"),
    [("os._exit(3)", "crashed"), ("os.kill(os.getpid(), 11)", "crashed"), ("os.kill(os.getpid(), 9)", "out-of-memory"),
     ("raise ValueError('a secret of the student')", "crashed")],
    ids=["exits", "segfaults", "killed", "raises"],
)  # fmt: skip
def test_a_fork_that_ends_by_itself_is_a_failure_that_says_how(deed, reason):
    launcher = inside_with(ANSWERING + f"def answer(pipe, folder): {deed}")
    with (
        pool_of(launcher) as pool,
        pytest.raises(AgentFailed) as caught,
        pool.play(FILES, CARTPOLE) as agent,
    ):
        agent.act(np.zeros((1, 4), np.float32))

    assert caught.value.reason == reason


def test_it_imports_nothing_but_the_standard_library_and_the_messages_before_it_is_asked_to_play():
    code = (
        "import sys, json; import rl_leaderboard.judge.players.inside; "
        "print(json.dumps([m for m in sys.modules if m.split('.')[0] not in sys.stdlib_module_names]))"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = {name for name in json.loads(finished.stdout) if name.startswith("rl_") or "." not in name}

    assert loaded & {"numpy", "torch", "gymnasium", "sqlalchemy"} == set()
    assert {name for name in loaded if name.startswith("rl_leaderboard.")} == {
        "rl_leaderboard.judge",
        "rl_leaderboard.judge.players",
        "rl_leaderboard.judge.players.inside",
        "rl_leaderboard.judge.players.messages",
    }


def test_it_ends_with_the_judge():
    launcher = Launched()
    with pool_of(launcher, end_seconds=30) as pool:
        with pytest.raises(AgentFailed, match="holds no agent"):
            pool.convert(ROOT / "tests" / "judge", CARTPOLE)
        (process,) = launcher.processes
        process.stdin.close()
        assert process.wait(30) == 0
