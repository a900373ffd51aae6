"""The stock `UnityEnvironment` of ML-Agents in our arenas."""

import os
import socket
import stat
import sys

import numpy as np
import pytest

from mlagents_bridge.serve.launcher import write_launcher
from mlagents_environment import needs_mlagents, run_with_mlagents
from snowball_fight import ONE_VS_ONE, TWO_VS_TWO, Arenas

pytestmark = [needs_mlagents, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no launcher")]

SEED, N_ARENAS, STEPS = 11, 3, 1000
GAMES = {"snowball_fight_1v1": ONE_VS_ONE, "snowball_fight_2v2": TWO_VS_TWO}

# Whoever has to act takes the drawn actions in turn; the test deals them out in the same order.
STOCK_SIDE = """
import sys
import numpy as np
from mlagents_envs.base_env import ActionTuple
from mlagents_envs.environment import UnityEnvironment

launcher, drawn, result, seed, port = sys.argv[1:]
drawn = np.load(drawn)
env = UnityEnvironment(launcher, seed=int(seed), base_port=int(port), no_graphics=True)
env.reset()
kept = {}
for step in range(len(drawn) + 1):
    for team, name in enumerate(sorted(env.behavior_specs)):
        for kind, steps in zip(("asked", "ends"), env.get_steps(name)):
            parts = {"observations": np.concatenate(steps.obs, axis=1), "rewards": steps.reward, "ids": steps.agent_id}
            parts |= {"groups": np.array(steps.group_id), "group_rewards": steps.group_reward}
            parts["interrupted"] = getattr(steps, "interrupted", np.zeros(len(steps), bool))
            for part, values in parts.items():
                kept.setdefault(f"{team} {kind} {part}", []).append(values)
            kept.setdefault(f"{team} {kind} n", []).append([len(steps)])
        asked = env.get_steps(name)[0]
        if step < len(drawn):
            env.set_actions(name, ActionTuple(discrete=drawn[step, team, : len(asked)]))
    if step < len(drawn):
        env.step()
env.close()
np.savez(result, **{name: np.concatenate(values) for name, values in kept.items()})
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def by_step(seen):
    """What was seen, taken apart again by step: `f"{step} {team} {kind} {part}"`."""
    parts = {}
    for name, values in seen.items():
        kind = name.rpartition(" ")[0]
        if kind + " n" != name and len(values):
            for step, part in enumerate(np.split(values, np.cumsum(seen[kind + " n"])[:-1])):
                parts[f"{step} {name}"] = part
    return parts


@pytest.fixture
def played(tmp_path):
    """Plays a game through the stock environment; gives the drawn actions and everything that it saw."""

    def play(game, size):
        launcher = write_launcher(tmp_path / "Snow.x86_64", [f"--env={game}", f"--arenas={N_ARENAS}"])
        shape = (STEPS, 2, N_ARENAS * size, 4)
        drawn = np.random.default_rng(0).integers(0, [3, 3, 3, 2], shape).astype(np.int32)
        np.save(tmp_path / "drawn.npy", drawn)
        (tmp_path / "stock_side.py").write_text(STOCK_SIDE)
        files = [tmp_path / name for name in ("stock_side.py", "Snow.x86_64", "drawn.npy", "seen.npz")]
        done = run_with_mlagents(*files, str(SEED), str(free_port()), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert launcher.exists()
        with np.load(tmp_path / "seen.npz") as seen:
            return drawn, by_step(dict(seen))

    return play


@pytest.mark.parametrize("game", list(GAMES))
def test_a_thousand_steps_are_the_native_ones_to_the_last_bit(game, played):
    spec = GAMES[game]
    size = spec.team_size
    drawn, seen = played(game, size)
    arenas = Arenas(spec, N_ARENAS)
    observations = arenas.reset(SEED * N_ARENAS)
    standing = np.ones((N_ARENAS, spec.n_agents), bool)
    n_ends = n_fallen_early = 0
    for step in range(STEPS + 1):
        actions = np.zeros((N_ARENAS, spec.n_agents, 4), np.int64)
        for team in range(2):
            columns = slice(team * size, (team + 1) * size)
            where = standing[:, columns]
            assert np.array_equal(seen[f"{step} {team} asked observations"], observations[:, columns][where])
            actions[:, columns][where] = drawn[min(step, STEPS - 1), team, : where.sum()]
        if step == STEPS:
            break
        outcome = arenas.step(actions)
        finished = outcome.terminated | outcome.truncated
        last = np.where(outcome.ended[:, None, None], outcome.final_observations, outcome.observations)
        groups = np.repeat(outcome.team_rewards, size, axis=1) if size > 1 else np.zeros_like(outcome.rewards)
        for team in range(2):
            columns = slice(team * size, (team + 1) * size)
            where = finished[:, columns]
            ends = {part: seen[f"{step + 1} {team} ends {part}"] for part in ("observations", "rewards", "interrupted")}
            assert np.array_equal(ends["observations"], last[:, columns][where])
            assert np.array_equal(ends["rewards"], (outcome.rewards - groups)[:, columns][where])
            assert np.array_equal(ends["interrupted"], outcome.truncated[:, columns][where])
            assert np.array_equal(seen[f"{step + 1} {team} ends group_rewards"], groups[:, columns][where])
            going_on = np.where(outcome.ended[:, None], True, outcome.standing)[:, columns]
            own = np.where(outcome.ended[:, None], np.float32(0), outcome.rewards)[:, columns][going_on]
            assert np.array_equal(seen[f"{step + 1} {team} asked rewards"], own)
            assert (seen[f"{step + 1} {team} asked groups"] > 0).all() == (size > 1)
        n_ends += int(outcome.ended.sum())
        n_fallen_early += int((finished & ~outcome.ended[:, None]).sum())
        standing = np.where(outcome.ended[:, None], True, outcome.standing)
        observations = outcome.observations
    assert n_ends > 0
    assert (n_fallen_early > 0) == (size > 1)


def test_a_launcher_without_permission_gets_the_stock_sentence(tmp_path):
    launcher = write_launcher(tmp_path / "Snow.x86_64", ["--env=snowball_target"])
    launcher.chmod(stat.S_IRUSR | stat.S_IWUSR)
    code = f"from mlagents_envs.environment import UnityEnvironment as U; U({str(launcher)!r}, base_port={free_port()})"
    done = run_with_mlagents("-c", code, cwd=tmp_path)
    assert done.returncode != 0
    assert "permissions are set correctly" in done.stderr


def test_a_world_that_fails_ends_the_stock_environment_and_leaves_its_log(tmp_path):
    write_launcher(tmp_path / "Snow.x86_64", ["--env=no_such_module:env"])
    code = (
        "from mlagents_envs.environment import UnityEnvironment as U\n"
        f"U('./Snow', base_port={free_port()}, log_folder={os.fspath(tmp_path)!r}, timeout_wait=10).reset()"
    )
    done = run_with_mlagents("-c", code, cwd=tmp_path)
    assert "Environment shut down with return code 1" in done.stderr
    assert "no_such_module:env cannot be imported" in (tmp_path / "Player-0.log").read_text()
