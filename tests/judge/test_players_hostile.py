"""Programs in the place of the one in the sandbox, which do what they like: each becomes a reason and a sentence."""

import os
import pickle
import time

import numpy as np
import psutil
import pytest

from judge_players import instead_of_inside, pool_of
from rl_leaderboard.judge.players import AgentFailed, PlayerPool, PlayersUnavailable
from rl_leaderboard.judge.players.conversion import AgentFile
from rl_units.course import Protocol
from rl_units.evaluation import evaluate

# Two groups of four games.
CARTPOLE = Protocol("cart-pole", 1, "CartPole-v1", n_episodes=8)
PENDULUM = Protocol("pendulum", 1, "Pendulum-v1", n_episodes=8)
FILES = [AgentFile("agent.json", b"{}"), AgentFile("agent.safetensors", b"x" * 3_000_000)]
ENOUGH = 60.0  # seconds, for whatever has to happen; what must not happen in time gets half a second


def failure(launcher, protocol=CARTPOLE, **limits):
    limits = {"end_seconds": ENOUGH, **limits}
    with (
        pool_of(launcher, **limits) as pool,
        pytest.raises(AgentFailed) as caught,
        pool.play(FILES, protocol) as agent,
    ):
        evaluate(agent, protocol)
    assert caught.value.sentence.endswith(".")
    return caught.value


def act(answer):
    return instead_of_inside(f"load()\nwhile True:\n    kind, body = receive()\n    {answer}")


PLAYING = {
    "never-answers": (CARTPOLE, "time.sleep(600)", "too-slow", "longer than 0.5 s to choose"),
    "too-many-bytes": (CARTPOLE, "send(105, b'\\0' * 80)", "bad-answer", "80 bytes where 32"),
    "claims-gigabytes": (CARTPOLE, "os.write(1, b'\\xff\\xff\\xff\\xff' + bytes([105]))", "bad-answer", "where 32"),
    "too-few-bytes": (CARTPOLE, "send(105, b'\\0' * 8)", "bad-answer", "8 bytes instead of 32"),
    "nothing-in-it": (CARTPOLE, "send(105, b'')", "bad-answer", "0 bytes instead of 32"),
    "length-zero": (CARTPOLE, "os.write(1, bytes([0, 0, 0, 0, 105]))", "bad-answer", "bytes where"),
    "half-an-answer": (CARTPOLE, "os.write(1, bytes([0, 0, 0, 33, 105, 1]))", "too-slow", "longer than"),
    "garbage": (CARTPOLE, "os.write(1, b'garbage' * 9)", "bad-answer", "no answer"),
    "another-kind": (CARTPOLE, "say(103, algo='dqn')", "bad-answer", "no answer"),
    "not-an-action": (CARTPOLE, "send(105, struct.pack('<4q', 0, 1, 2, 0))", "bad-answer", "not an action of Dis"),
    "negative-action": (CARTPOLE, "send(105, struct.pack('<4q', 0, -1, 0, 0))", "bad-answer", "not an action"),
    "nan": (PENDULUM, "send(105, struct.pack('<4f', 0, 0, float('nan'), 0))", "non-finite", "not finite"),
    "infinity": (PENDULUM, "send(105, struct.pack('<4f', 0, 0, float('inf'), 0))", "non-finite", "not finite"),
    "out-of-bounds": (PENDULUM, "send(105, struct.pack('<4f', 0, 0, 2.5, 0))", "bad-answer", "not an action of Box"),
    "exits": (CARTPOLE, "os._exit(3)", "crashed", "exit code 3"),
    "crashes": (CARTPOLE, "os.kill(os.getpid(), 11)", "crashed", "SIGSEGV"),
    "crashes-as-a-shell-says-it": (CARTPOLE, "os._exit(128 + 11)", "crashed", "SIGSEGV"),
    "killed": (CARTPOLE, "os.kill(os.getpid(), 9)", "out-of-memory", "memory"),
    "out-of-processor-time": (CARTPOLE, "os.kill(os.getpid(), 24)", "too-slow", "processor time"),
    "dies-in-an-answer": (CARTPOLE, "os.write(1, bytes([0, 0, 0, 33, 105, 1])); os._exit(3)", "crashed", "exit code 3"),
    "forges-its-end": (CARTPOLE, "say(107, secret='guessed', signal=9, code=0)", "bad-answer", "no answer"),
    "is-no-json": (CARTPOLE, "send(104, b'{')", "bad-answer", "no answer"),
    "is-deep-json": (CARTPOLE, "send(104, b'[' * 60_000)", "bad-answer", "no answer"),
    "is-a-list": (CARTPOLE, "send(104, b'[]')", "bad-answer", "no answer"),
    "unknown-reason": (CARTPOLE, "say(104, reason='bored', sentence='No.')", "bad-answer", "no answer"),
    "surrogate": (CARTPOLE, "say(107, secret=chr(0xD800), signal=0, code=0)", "bad-answer", "no answer"),
}  # fmt: skip


@pytest.mark.parametrize(("protocol", "answer", "reason", "words"), PLAYING.values(), ids=PLAYING)
def test_whatever_is_answered_is_an_action_or_a_failure(protocol, answer, reason, words):
    seconds = 0.5 if reason == "too-slow" else ENOUGH
    error = failure(act(answer), protocol, batch_seconds=seconds)

    assert error.reason == reason
    assert words in error.sentence


LOADING = {
    "never-loads": ("time.sleep(600)", "too-slow", "longer than 0.5 s to load"),
    "never-reads-its-files": ("be_silent(json.loads(receive()[1]))", "too-slow", "load"),
    "exits": ("be_born(); os._exit(1)", "crashed", "exit code 1"),
    "another-algorithm": ("be_born(); say(103, algo='x' * 100, sha256='0' * 64)", "bad-answer", "no agent"),
    "algorithm-is-a-list": ("be_born(); say(103, algo=[1], sha256='0' * 64)", "bad-answer", "no agent"),
    "no-hash": ("be_born(); say(103, algo='dqn', sha256='<b>')", "bad-answer", "no agent"),
    "no-document": ("be_born(); send(103, b'\\xff')", "bad-answer", "no answer"),
    "too-long": ("be_born(); say(103, algo='dqn', sha256='0' * 100_000)", "bad-answer", "where 65,536 are the most"),
    "closes-its-output": ("be_born(); os.close(1); time.sleep(600)", "bad-answer", "closed its connection"),
}  # fmt: skip


@pytest.mark.parametrize(("program", "reason", "words"), LOADING.values(), ids=LOADING)
def test_an_agent_that_does_not_load_fails(program, reason, words):
    silent = """
    def be_silent(opening):
        say(102, nonce=opening["nonce"], commitment="")
        time.sleep(600)
    """
    if program.startswith("be_silent"):
        program = "say(101, versions={}); " + program
    elif reason == "too-slow":
        program = "be_born(); " + program
    launcher = instead_of_inside("")
    launcher.code += "\n".join([*(line[4:] for line in silent.splitlines()), program])
    with (
        pool_of(launcher, load_seconds=0.5 if reason == "too-slow" else ENOUGH, end_seconds=0.5) as pool,
        pytest.raises(AgentFailed) as caught,
        pool.play(FILES, CARTPOLE),
    ):
        pass

    assert caught.value.reason == reason
    assert words in caught.value.sentence


@pytest.mark.parametrize("kind", [105, 103, 1, 0, 255])
def test_an_answer_before_the_question_is_a_failure(kind):
    launcher = instead_of_inside(f"load()\nsend({kind}, bytes(32))\ntime.sleep(600)")
    with (
        pool_of(launcher, end_seconds=0.5) as pool,
        pytest.raises(AgentFailed) as caught,
        pool.play(FILES, CARTPOLE) as agent,
    ):
        while not agent._service._channel.is_readable():
            time.sleep(0.01)
        agent.act(np.zeros((4, 4), np.float32))

    assert caught.value.reason == "bad-answer"
    assert "before it was asked" in caught.value.sentence


@pytest.mark.parametrize(
    ("deed", "reason", "words"),
    [("os._exit(3)", "crashed", "exit code 3"), ("send(105, bytes(8))", "bad-answer", "8 bytes instead of 32"),
     ("time.sleep(600)", "too-slow", "longer than 0.5 s to choose")],
    ids=["exits", "answers-half", "stands-still"],
)  # fmt: skip
def test_a_good_answer_counts_whatever_comes_after_it(deed, reason, words):
    launcher = instead_of_inside(f"load()\nreceive()\nsend(105, bytes(32))\n{deed}\ntime.sleep(600)")
    observations = np.zeros((4, 4), np.float32)
    seconds = 0.5 if reason == "too-slow" else ENOUGH
    with pool_of(launcher, batch_seconds=seconds, end_seconds=0.5) as pool, pool.play(FILES, CARTPOLE) as agent:
        first, second = agent.begin(observations), agent.begin(observations)
        actions = first()
        with pytest.raises(AgentFailed) as caught:
            second()

    assert not actions.any()
    assert caught.value.reason == reason
    assert words in caught.value.sentence


def test_a_batch_sent_ahead_to_a_process_that_has_gone_is_its_failure():
    launcher = instead_of_inside("load()\nreceive()\nos._exit(3)")
    observations = np.zeros((4, 4), np.float32)
    with pool_of(launcher, end_seconds=ENOUGH) as pool, pool.play(FILES, CARTPOLE) as agent:
        first = agent.begin(observations)
        launcher.processes[0].wait()
        agent.begin(observations)
        with pytest.raises(AgentFailed) as caught:
            first()

    assert caught.value.reason == "crashed"


@pytest.mark.parametrize(("overrun", "reason"), [("disk", "crashed"), (None, "out-of-memory")])
def test_a_killed_submission_is_told_by_what_it_was_killed_for(overrun, reason):
    launcher = act("say(107, secret='s', signal=9, code=0)")
    with pool_of(launcher, end_seconds=0.5) as pool, pool.play(FILES, CARTPOLE) as agent:
        launcher.processes[0].overrun = overrun
        with pytest.raises(AgentFailed) as caught:
            agent.act(np.zeros((4, 4), np.float32))

    assert caught.value.reason == reason


def test_a_flood_of_output_is_not_read(tmp_path):
    error = failure(instead_of_inside("load()\nwhile True:\n    os.write(1, b'\\xff' * 65536)"), end_seconds=0.5)

    assert error.reason == "bad-answer"


def test_a_flood_of_errors_is_read_away_and_the_answer_counts():
    launcher = act("os.write(2, b'x' * 3_000_000); send(105, bytes(32))")
    with pool_of(launcher, end_seconds=0.5) as pool, pool.play(FILES, CARTPOLE) as agent:
        actions = agent.act(np.zeros((4, 4), np.float32))
        assert len(agent._service._channel.last_errors) <= 4096

    assert list(actions) == [0, 0, 0, 0]


def test_errors_that_end_are_not_waited_for():
    error = failure(act("os.close(2); time.sleep(600)"), batch_seconds=0.5)

    assert error.reason == "too-slow"


def test_a_batch_that_nobody_reads_is_too_slow():
    launcher = instead_of_inside("load()\ntime.sleep(600)")
    with (
        pool_of(launcher, batch_seconds=0.5, end_seconds=0.5) as pool,
        pytest.raises(AgentFailed) as caught,
        pool.play(FILES, CARTPOLE) as agent,
    ):
        agent.act(np.zeros((1_000_000, 4), np.float32))

    assert caught.value.reason == "too-slow"


def test_all_batches_together_have_a_limit():
    launcher = act("time.sleep(0.3); send(105, bytes(32))")
    error = failure(launcher, total_seconds=0.5, batch_seconds=ENOUGH)

    assert error.reason == "too-slow"
    assert "to play all games" in error.sentence


def test_an_agent_that_has_failed_is_not_asked_again():
    with (
        pool_of(act("os._exit(3)")) as pool,
        pytest.raises(AgentFailed),
        pool.play(FILES, CARTPOLE) as agent,
    ):
        with pytest.raises(AgentFailed) as first:
            agent.act(np.zeros((4, 4), np.float32))
        with pytest.raises(AgentFailed) as second:
            agent.act(np.zeros((4, 4), np.float32))
        assert second.value is first.value
        raise second.value


CONVERTING = {
    "no-files": ("[]", "bad-answer"),
    "no-list": ("None", "bad-answer"),
    "no-pairs": ("[1, 2]", "bad-answer"),
    "another-name": ("[['../agent.json', 1]]", "bad-answer"),
    "a-name-that-is-a-list": ("[[['agent.json'], 1]]", "bad-answer"),
    "twice": ("[['agent.json', 1], ['agent.json', 1]]", "bad-answer"),
    "negative": ("[['agent.json', -1]]", "bad-answer"),
    "no-number": ("[['agent.json', 'x']]", "bad-answer"),
    "huge": ("[['agent.safetensors', 1 << 40]]", "refused"),
    "shorter-than-announced": ("[['agent.json', 5]]", "bad-answer"),
    "longer-than-announced": ("[['agent.json', 1]]", "bad-answer"),
}


@pytest.mark.parametrize(("files", "reason"), CONVERTING.values(), ids=CONVERTING)
def test_a_conversion_to_no_agent_fails(files, reason, tmp_path):
    program = f"be_born()\nsay(103, algo='dqn', sha256='', files={files})\nsend(106, b'{{}}')\ntime.sleep(600)"
    with (
        pool_of(instead_of_inside(program), load_seconds=ENOUGH, end_seconds=0.5) as pool,
        pytest.raises(AgentFailed) as caught,
    ):
        pool.convert(tmp_path, CARTPOLE)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "program",
    [
        "os._exit(1)",
        "os.write(1, b'garbage')",
        "say(101, versions={}); kind, body = receive(); say(102, nonce='another', commitment='')",
        "say(101, versions={}); kind, body = receive(); say(102, nonce=json.loads(body)['nonce'])",
        "say(101, versions={}); say(102)",
    ],
    ids=["gone", "garbage", "another-nonce", "no-commitment", "too-early"],
)
def test_a_process_that_does_not_start_submissions_is_not_the_students_failure(program):
    launcher = instead_of_inside(program + "; time.sleep(600)")
    with (
        pool_of(launcher) as pool,
        pytest.raises(PlayersUnavailable, match="does not start submissions"),
        pool.play(FILES, CARTPOLE),
    ):
        pass

    assert len(launcher.processes) >= 2, "a new one is tried before anybody is told"


def test_a_process_that_never_gets_ready_is_not_waited_for():
    with (
        pool_of(instead_of_inside("time.sleep(600)"), start_seconds=0.5) as pool,
        pytest.raises(PlayersUnavailable),
        pool.play(FILES, CARTPOLE),
    ):
        pass


def test_a_sandbox_that_cannot_be_had_is_said():
    def launcher(module, arguments):
        raise FileNotFoundError(2, "No such file", "bwrap")

    with pytest.raises(PlayersUnavailable, match="bwrap"):
        PlayerPool(launcher).warm()


def test_a_hostile_process_is_thrown_away_and_the_next_submission_gets_another():
    launcher = act("send(105, b'')")
    with pool_of(launcher) as pool:
        for _ in range(2):
            with pytest.raises(AgentFailed), pool.play(FILES, CARTPOLE) as agent:
                evaluate(agent, CARTPOLE)
        assert launcher.processes[0].poll() is not None
        assert launcher.processes[1].poll() is not None


def test_its_own_children_go_with_it():
    launcher = act("os.fork() or time.sleep(600); send(105, b'')")
    assert failure(launcher).reason == "bad-answer"

    groups = {process.pid for process in launcher.processes}
    left = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) in groups and process.status() != psutil.STATUS_ZOMBIE:
                left.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    # Who has been killed takes a moment to be gone; who has not, sleeps for ten minutes.
    assert psutil.wait_procs(left, 30)[1] == []


def test_a_failure_travels_between_processes():
    error = pickle.loads(pickle.dumps(AgentFailed("refused", "A sentence.", "symlink")))

    assert (error.reason, error.sentence, error.refusal) == ("refused", "A sentence.", "symlink")
