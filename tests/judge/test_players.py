"""An agent in a sandboxed process plays exactly as it does without one."""

import dataclasses

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import DQN, PPO, SAC
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from judge_players import Launched, pool_of
from rl_leaderboard.judge.players import AgentFailed
from rl_leaderboard.judge.players.conversion import AgentFile, write_files
from rl_units.agents import export_onnx, load_agent
from rl_units.course import Protocol, load_course
from rl_units.environments import make_environment
from rl_units.evaluation import evaluate, package_versions

CARTPOLE = Protocol("cart-pole", 1, "CartPole-v1", n_episodes=8)
PENDULUM = Protocol("pendulum", 1, "Pendulum-v1", n_episodes=3)
# Short games; several lives are still lost.
INVADERS = dataclasses.replace(
    load_course().assignment_for("SpaceInvadersNoFrameskip-v4").protocol, n_episodes=3, max_episode_steps=1_200
)
SEEDS = (90_001, 7, 31_337)


def mlp(folder):
    PPO("MlpPolicy", "CartPole-v1", seed=1, device="cpu").save(folder / "ppo-CartPole-v1.zip")
    return CARTPOLE


def nature_cnn(folder):
    DQN("CnnPolicy", make_environment(INVADERS), buffer_size=1, seed=3, device="cpu").save(
        folder / f"dqn-{INVADERS.env_id}.zip"
    )
    return INVADERS


def normalized(folder):
    env = VecNormalize(DummyVecEnv([lambda: gym.make("Pendulum-v1")]), gamma=0.9)
    model = PPO("MlpPolicy", env, n_steps=64, seed=2, device="cpu")
    model.learn(128)
    model.save(folder / "ppo-Pendulum-v1.zip")
    env.save(str(folder / "vec_normalize.pkl"))
    env.close()
    return PENDULUM


def squashed(folder):
    SAC("MlpPolicy", "Pendulum-v1", seed=4, device="cpu", buffer_size=10).save(folder / "sac-Pendulum-v1.zip")
    return PENDULUM


def onnx(folder):
    original = folder / "original"
    original.mkdir()
    mlp(original)
    export_onnx(load_agent(original / "ppo-CartPole-v1.zip", CARTPOLE), folder / "agent.onnx")
    return CARTPOLE


def onnx_normalized(folder):
    original = folder / "original"
    original.mkdir()
    normalized(original)
    export_onnx(load_agent(original, PENDULUM), folder / "agent.onnx")
    (original / "vec_normalize.pkl").rename(folder / "vec_normalize.pkl")
    return PENDULUM


@pytest.fixture(scope="module")
def pool():
    with pool_of(Launched()) as pool:
        yield pool


@pytest.mark.parametrize(
    "make", [mlp, nature_cnn, normalized, squashed, onnx, onnx_normalized], ids=lambda make: make.__name__
)
def test_every_episode_is_that_of_the_same_agent_without_a_sandbox(pool, make, tmp_path):
    protocol = make(tmp_path)
    original = load_agent(tmp_path, protocol)
    expected = evaluate(original, protocol, seeds=SEEDS)

    with pool.load(tmp_path, protocol) as agent:
        result = evaluate(agent, protocol, seeds=SEEDS)

    assert (result.returns, result.lengths) == (expected.returns, expected.lengths)
    assert (agent.algo, agent.sha256) == (original.algo, original.sha256)


@pytest.mark.slow
def test_whole_games_of_space_invaders_are_those_without_a_sandbox(pool, tmp_path):
    nature_cnn(tmp_path)
    protocol = dataclasses.replace(INVADERS, max_episode_steps=108_000, n_episodes=16)
    expected = evaluate(load_agent(tmp_path, protocol), protocol)

    with pool.load(tmp_path, protocol) as agent:
        assert evaluate(agent, protocol).returns == expected.returns


@pytest.mark.parametrize(
    ("make", "files"),
    [
        (mlp, {"agent.json", "agent.safetensors"}),
        (normalized, {"agent.json", "agent.safetensors", "vec_normalize.json"}),
        (onnx, {"agent.onnx"}),
        (onnx_normalized, {"agent.onnx", "vec_normalize.json"}),
    ],
    ids=["zip", "with-statistics", "onnx", "onnx-with-statistics"],
)
def test_what_is_kept_is_another_format_of_the_same_agent(pool, make, files, tmp_path):
    submission, kept = tmp_path / "submission", tmp_path / "kept"
    submission.mkdir()
    protocol = make(submission)

    with pool.load(submission, protocol, keep=kept) as agent:
        sha256 = agent.sha256

    assert {path.name for path in kept.iterdir()} == files
    assert load_agent(kept, protocol).sha256 == sha256 == load_agent(submission, protocol).sha256


def test_what_has_been_converted_converts_to_itself(pool, tmp_path):
    normalized(tmp_path)
    converted = pool.convert(tmp_path, PENDULUM)
    write_files(converted, tmp_path / "kept")

    assert pool.convert(tmp_path / "kept", PENDULUM) == converted


def test_an_onnx_agent_that_names_its_algorithm_in_agent_json_keeps_that(pool, tmp_path):
    import onnx as onnx_format

    onnx(tmp_path)
    model = onnx_format.load(tmp_path / "agent.onnx")
    del model.metadata_props[:]
    onnx_format.save(model, tmp_path / "agent.onnx")
    (tmp_path / "agent.json").write_text(
        '{"algo": "ppo", "policy": "MlpPolicy", "env_id": "CartPole-v1", "policy_kwargs": {}, "format_version": 1}'
    )

    with pool.load(tmp_path, CARTPOLE, keep=tmp_path / "kept") as agent:
        assert agent.algo == "ppo"


def test_one_process_serves_one_submission_after_another(tmp_path):
    mlp(tmp_path)
    launcher = Launched()
    with pool_of(launcher) as pool:
        for _ in range(3):
            with pool.load(tmp_path, CARTPOLE) as agent:
                evaluate(agent, CARTPOLE, seeds=SEEDS)

    assert len(launcher.processes) == 1


def test_a_refusal_has_the_rule_and_a_sentence_and_leaves_the_process_for_the_next(tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "dqn-CartPole-v1.zip").write_bytes(b"PK\x03\x04 cut off")
    (tmp_path / "good").mkdir()
    mlp(tmp_path / "good")
    launcher = Launched()
    with pool_of(launcher) as pool:
        with pytest.raises(AgentFailed) as caught, pool.load(tmp_path / "bad", CARTPOLE):
            pass
        with pool.load(tmp_path / "good", CARTPOLE) as agent:
            evaluate(agent, CARTPOLE, seeds=SEEDS)

    assert (caught.value.reason, caught.value.refusal) == ("refused", "truncated-zip")
    assert "dqn-CartPole-v1.zip is a zip that is cut off or damaged" in caught.value.sentence
    assert len(launcher.processes) == 1


def test_no_sentence_names_a_folder_of_the_sandbox(pool, tmp_path):
    with pytest.raises(AgentFailed) as caught, pool.load(tmp_path, CARTPOLE):
        pass

    sentence = "The submission holds no agent: no agent.json, agent.onnx, zip of SB3 or .onnx of ML-Agents."
    assert caught.value.sentence.startswith(sentence)


def test_a_network_that_puts_out_nan_is_said_to_have_diverged(pool, tmp_path):
    model = PPO("MlpPolicy", "CartPole-v1", seed=1, device="cpu")
    # Finite weights, whose product is not.
    for parameter in model.policy.parameters():
        parameter.data.fill_(3e38)
    model.save(tmp_path / "ppo-CartPole-v1.zip")

    with pytest.raises(AgentFailed) as caught, pool.load(tmp_path, CARTPOLE) as agent:
        evaluate(agent, CARTPOLE)

    assert caught.value.reason == "non-finite"
    assert "diverged" in caught.value.sentence


def test_a_file_or_a_submission_that_is_too_large_is_refused_before_it_is_sent(tmp_path):
    mlp(tmp_path)
    size = (tmp_path / "ppo-CartPole-v1.zip").stat().st_size
    for limits in ({"most_file_bytes": size - 1}, {"most_bytes": size - 1}, {"most_files": 0}):
        with (
            pool_of(Launched("raise SystemExit"), **limits) as pool,
            pytest.raises(AgentFailed) as caught,
            pool.load(tmp_path, CARTPOLE),
        ):
            pass
        assert caught.value.reason == "refused"


def test_a_link_among_the_files_is_refused_and_one_among_the_folders_passed_over(pool, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "agent.json").write_text("{}")
    submission = tmp_path / "submission"
    submission.mkdir()
    (submission / "folder").symlink_to(secret)
    with pytest.raises(AgentFailed, match="holds no agent"), pool.load(submission, CARTPOLE):
        pass
    (submission / "agent.json").symlink_to(secret / "agent.json")
    with pytest.raises(AgentFailed) as caught, pool.load(submission, CARTPOLE):
        pass

    assert caught.value.refusal == "symlink"


def test_a_named_pipe_is_not_waited_for(pool, tmp_path):
    import os

    os.mkfifo(tmp_path / "agent.json")
    with pytest.raises(AgentFailed, match="not a plain file"), pool.load(tmp_path, CARTPOLE):
        pass


def test_a_dictionary_of_observations_arrives_as_it_was(tmp_path):
    from rl_leaderboard.judge.players.arrays import decode, encode

    rng = np.random.default_rng(0)
    batch = {
        "image": rng.integers(256, size=(3, 4, 8, 8), dtype=np.uint8),
        "goal": rng.normal(size=(3, 2)),
        "kind": np.arange(3),
    }

    received = decode(bytearray(b"".join(encode(batch))))

    assert list(received) == sorted(batch)
    assert all(np.array_equal(received[key], batch[key]) for key in batch)
    assert all(received[key].dtype == batch[key].dtype for key in batch)


def test_the_process_says_its_versions(pool, tmp_path):
    mlp(tmp_path)
    pool.convert(tmp_path, CARTPOLE)

    assert pool.versions == package_versions()


def test_files_of_a_subfolder_reach_the_agent(pool, tmp_path):
    normalized(tmp_path)
    (tmp_path / "Pendulum-v1").mkdir()
    (tmp_path / "vec_normalize.pkl").rename(tmp_path / "Pendulum-v1" / "vecnormalize.pkl")

    assert "vec_normalize.json" in {file.name for file in pool.convert(tmp_path, PENDULUM)}


def test_a_converted_agent_needs_no_folder(pool, tmp_path):
    mlp(tmp_path)
    converted = pool.convert(tmp_path, CARTPOLE)
    files = [AgentFile(file.name, file.content) for file in converted]

    with pool.play(files, CARTPOLE) as agent:
        assert agent.act(np.zeros((2, 4), np.float32)).shape == (2,)
