"""The self-test attacks every kind of sandbox from inside, and only a kind that keeps its promises is used."""

import sys

import pytest

from judge_sandbox import as_a_user, need
from rl_leaderboard.judge.sandbox import available, gaps, probe
from rl_leaderboard.judge.sandbox.processes import SandboxProcess
from rl_leaderboard.judge.sandbox.tiers import NOT_STOPPED_BY, PROMISES, Attempt, NoSandbox, Tier

TIERS = [pytest.param(tier, id=tier.name.lower()) for tier in Tier]


@pytest.mark.parametrize("tier", TIERS)
def test_every_attempt_that_a_kind_promises_to_stop_is_stopped(tier):
    found = need(tier)

    assert {attempt for attempt in PROMISES[tier] if not found[attempt]} == set()


@pytest.mark.parametrize("tier", TIERS)
def test_the_same_for_an_ordinary_user(tier):
    code = """
import sys
from rl_leaderboard.judge.sandbox.probe import examine
from rl_leaderboard.judge.sandbox.tiers import NoSandbox, Tier
try:
    print(*(attempt.name for attempt, stopped in examine(Tier[sys.argv[1]]).items() if not stopped))
except NoSandbox as error:
    print("NONE", error)
"""
    answer = as_a_user(code, tier.name)
    if answer.startswith("NONE"):
        pytest.skip(answer)

    assert {Attempt[name] for name in answer.split()} & PROMISES[tier] == set()
    if tier is Tier.LIMITS:
        assert Attempt.READ_SECRET in {Attempt[name] for name in answer.split()}


def test_without_a_sandbox_every_attempt_gets_through(tmp_path):
    """Otherwise a test of a sandbox would prove nothing."""
    code = """
import os, sys, tempfile
from rl_leaderboard.judge.sandbox import probe
from rl_leaderboard.judge.sandbox.processes import SandboxProcess
from rl_leaderboard.judge.sandbox.tiers import Tier
def start(tier, limits, module, arguments, *, readable):
    code = f"import sys, runpy; sys.path += {os.environ['PYTHONPATH'].split(':')}; "
    code += "runpy.run_module(sys.argv.pop(1), run_name='__main__')"
    return SandboxProcess([sys.executable, "-c", code, module, *arguments], tier, limits, None)
probe.start = start
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    print(*(attempt.name for attempt, stopped in probe.examine(Tier.LIMITS).items() if stopped))
"""
    # Of these the machine itself may stop some: a container without user namespaces, a small one without memory.
    may_be_stopped = {"USER_NAMESPACE", "PTRACE", "MEMORY", "TREE_MEMORY", "THREAD_FLOOD", "FORK_FLOOD", "CONNECT_UDP"}
    assert set(as_a_user(code).split()) - may_be_stopped == set()


def test_a_minimum_that_is_not_met_fails_closed(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda *_: None)

    with pytest.raises(NoSandbox, match=r"no agent will be run\. .*Install the package `bubblewrap`"):
        available(Tier.NAMESPACES)


def test_the_next_kind_is_taken_if_it_is_good_enough(monkeypatch):
    need(Tier.LANDLOCK)
    monkeypatch.setattr("shutil.which", lambda *_: None)

    assert available(Tier.LANDLOCK) is Tier.LANDLOCK


def examined(monkeypatch, **broken):
    def examine(tier):
        return {attempt: attempt not in broken.get(tier.name, set(Attempt)) for attempt in Attempt}

    monkeypatch.setattr(probe, "examine", examine)


def test_the_strongest_that_works_is_taken(monkeypatch):
    examined(monkeypatch, NAMESPACES=set(), LANDLOCK=set())

    assert available(Tier.LANDLOCK) is Tier.NAMESPACES


def test_one_broken_promise_is_enough_to_be_refused(monkeypatch):
    examined(monkeypatch, NAMESPACES={Attempt.CONNECT_ABSTRACT}, LANDLOCK={Attempt.READ_SECRET, Attempt.CPU_TIME})

    with pytest.raises(NoSandbox, match=r"A namespaces: .*connect to an abstract socket.*B landlock: .*read a file"):
        available(Tier.LANDLOCK)


def test_what_was_not_promised_may_get_through(monkeypatch):
    examined(monkeypatch, LIMITS=set(Attempt) - PROMISES[Tier.LIMITS])

    assert available(Tier.LIMITS, allow_limits_only=True) is Tier.LIMITS


def test_limits_only_needs_the_operators_word_besides_the_minimum(monkeypatch):
    examined(monkeypatch, LIMITS=set())

    with pytest.raises(NoSandbox):
        available(Tier.LIMITS)
    assert available(Tier.LIMITS, allow_limits_only=True) is Tier.LIMITS


def test_an_attempt_that_goes_on_for_ever_has_got_through(monkeypatch):
    """Nothing but the end of a process shows that it was stopped."""
    script = 'import time; print(\'["ready"]\\n["begin", "compute beyond its time"]\', flush=True); time.sleep(1000)'
    monkeypatch.setattr(
        probe,
        "start",
        lambda tier, limits, *_, **__: SandboxProcess([sys.executable, "-c", script], tier, limits, None),
    )
    monkeypatch.setattr(probe, "_PATIENCE", 5.0)

    assert not probe.examine(Tier.NAMESPACES)[Attempt.CPU_TIME]


def test_a_sandbox_in_which_nothing_runs_is_none(monkeypatch):
    script = "import sys; sys.exit('a reason')"
    monkeypatch.setattr(
        probe,
        "start",
        lambda tier, limits, *_, **__: SandboxProcess([sys.executable, "-c", script], tier, limits, None),
    )

    with pytest.raises(NoSandbox, match="a reason"):
        probe.examine(Tier.NAMESPACES)


def test_what_a_kind_does_not_stop_is_told():
    assert set(NOT_STOPPED_BY) == set(PROMISES) == set(Tier)
    assert gaps(Tier.NAMESPACES) == ()
    assert all(sentence.endswith(".") for sentence in gaps(Tier.LIMITS))
    assert PROMISES[Tier.LIMITS] < PROMISES[Tier.LANDLOCK] == PROMISES[Tier.NAMESPACES] == set(Attempt)
