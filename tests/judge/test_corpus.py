"""Every hostile submission of the corpus, in each kind of sandbox that works on this machine."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from judge_corpus import Court, Verdict, cases, complaints_about
from judge_sandbox import need
from rl_leaderboard.judge.sandbox import Limits, Tier

CASES = cases()


@pytest.fixture(scope="module", params=[pytest.param(tier, id=tier.name.lower()) for tier in Tier])
def court(request):
    need(request.param)
    with Court.at(request.param) as opened:
        yield opened


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_a_hostile_submission_gets_its_verdict_and_leaves_the_host_as_it_was(court, case):
    if not case.runs_in(court.host.tier):
        pytest.skip(f"no promise of {court.host.tier.value}")

    verdict = court.judge(case)

    assert verdict.complaints == []
    assert verdict.name in case.expected, verdict.sentence


def test_a_case_is_left_out_only_where_the_sandbox_stops_less():
    """All kinds are for all cases, but for what the weakest does not promise."""
    assert {case.tiers for case in CASES} == {("A", "B", "C"), ("A", "B")}
    assert all(case.attack.is_file() for case in CASES if not case.runs_in(Tier.LIMITS))


def test_what_an_attack_would_leave_is_seen(court):
    """Else a table without complaints would say nothing."""
    host = court.host
    leave = f"""
import os, socket, subprocess, sys
os.mkdir({str(host.marker)!r})
open({str(host.temporary / "left")!r}, "w").close()
socket.create_connection(("127.0.0.1", {host.targets()["tcp"]})).close()
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", {host.mark!r}])
"""
    sandboxes = host.sandboxes(Limits())
    with host.watched(sandboxes) as complaints:
        subprocess.run([sys.executable, "-c", leave], check=True)
        host.sent.append(Path(host.targets()["secret"]).read_bytes())
    (host.temporary / "left").unlink()
    (left,) = [complaint.split()[2] for complaint in complaints if "its process" in complaint]
    os.kill(int(left), signal.SIGKILL)

    expected = ["it could connect", "it has left", "it has sent the secret", "its code was run", "its process"]
    assert [any(complaint.startswith(start) for complaint in complaints) for start in expected] == [True] * 5


@pytest.mark.parametrize(
    "sentence", ["No end", "Two\nlines.", f"In {sys.prefix} it failed.", "x" * 1000 + ".", "Traceback (most recent)."]
)
def test_what_is_no_sentence_for_a_student_is_seen(sentence):
    assert complaints_about(Verdict("refused", sentence))


def test_the_corpus_is_not_small_and_each_case_says_what_it_tries():
    assert len(CASES) >= 40
    assert all(case.title and case.tries.endswith(".") and case.expected for case in CASES)
