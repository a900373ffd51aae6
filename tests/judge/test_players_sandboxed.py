"""The same through the real sandboxes that this machine has."""

import numpy as np
import psutil
import pytest
from stable_baselines3 import PPO

from judge_sandbox import need
from rl_leaderboard.judge.players import AgentFailed, PlayerPool, in_sandbox
from rl_leaderboard.judge.sandbox import Limits, Tier
from rl_units.agents import export_onnx, load_agent
from rl_units.course import Protocol
from rl_units.evaluation import evaluate

CARTPOLE = Protocol("cart-pole", 1, "CartPole-v1", n_episodes=8)


@pytest.fixture(scope="module", params=list(Tier), ids=lambda tier: tier.name.lower())
def launched(request):
    """A launcher of one tier, with the processes that it has started."""
    need(request.param)
    launch = in_sandbox(request.param, Limits(cpu_seconds=120))
    processes = []

    def launcher(module, arguments):
        processes.append(launch(module, arguments))
        return processes[-1]

    yield launcher, processes, request.param
    assert [process.poll() is None for process in processes] == [False] * len(processes)


@pytest.fixture(scope="module")
def pool(launched):
    with PlayerPool(launched[0]) as pool:
        yield pool


def test_agents_play_as_without_a_sandbox_one_after_another_in_one_process(pool, launched, tmp_path):
    zip_file, onnx = tmp_path / "zip", tmp_path / "onnx"
    zip_file.mkdir()
    onnx.mkdir()
    PPO("MlpPolicy", "CartPole-v1", seed=1, device="cpu").save(zip_file / "ppo-CartPole-v1.zip")
    original = load_agent(zip_file, CARTPOLE)
    export_onnx(original, onnx / "agent.onnx")
    expected = evaluate(original, CARTPOLE).returns
    for folder in (zip_file, onnx, zip_file):
        with pool.load(folder, CARTPOLE) as agent:
            assert evaluate(agent, CARTPOLE).returns == expected

    assert len(launched[1]) == 1


def test_a_refusal_leaves_the_process_for_the_next(pool, launched, tmp_path):
    before = len(launched[1])
    for _ in range(2):
        with pytest.raises(AgentFailed, match="holds no agent"), pool.load(tmp_path, CARTPOLE):
            pass

    assert len(launched[1]) == max(before, 1)


def test_what_does_not_fit_into_the_scratch_folder_is_refused(launched, tmp_path):
    (tmp_path / "dqn-CartPole-v1.zip").write_bytes(b"x" * 40_000_000)
    with (
        PlayerPool(in_sandbox(launched[2], Limits(file_bytes=20 * 1024**2))) as small,
        pytest.raises(AgentFailed) as caught,
    ):
        small.convert(tmp_path, CARTPOLE)

    assert (caught.value.reason, caught.value.refusal) == ("refused", "no-room")


def test_an_agent_that_is_killed_from_outside_has_failed_and_leaves_nothing(pool, launched, tmp_path):
    PPO("MlpPolicy", "CartPole-v1", seed=1, device="cpu").save(tmp_path / "ppo-CartPole-v1.zip")
    with pytest.raises(AgentFailed), pool.load(tmp_path, CARTPOLE) as agent:
        process = next(process for process in launched[1] if process.poll() is None)
        psutil.Process(process.pid).children(recursive=True)[-1].kill()
        for _ in range(3):
            agent.act(np.zeros((4, 4), np.float32))
    assert process.poll() is not None
