"""Snowball Fight as PettingZoo knows environments."""

import copy
import functools
import pickle
import warnings

import numpy as np
import pettingzoo
import pytest

from snowball_fight import ONE_VS_ONE
from snowball_fight.parallel import fight_1vs1, fight_2vs2
from snowball_fight.whole_state import AGENT_FLOATS
from snowball_players import still, turret

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # PettingZoo's tests import an example in its old way
    from pettingzoo.test import (
        api_test,
        max_cycles_test,
        parallel_api_test,
        parallel_seed_test,
        render_test,
        state_test,
    )

GAMES = pytest.mark.parametrize("game", [fight_1vs1, fight_2vs2], ids=["1vs1", "2vs2"])


def act(env, observations, players):
    """An action for everybody who stands: `players` maps a team's prefix to who plays it."""
    return {name: players[name[:6]](observations[name][None])[0] for name in env.agents}


def play(env, players, seed):
    """Plays an episode; gives back all that its steps gave."""
    observations, _ = env.reset(seed=seed)
    steps = []
    while env.agents:
        steps.append(env.step(act(env, observations, players)))
        observations = steps[-1][0]
    return steps


@functools.cache
def beaten(game):
    """A game in which the first team beats one that stands still, and its seed."""
    games = ((play(game.parallel_env(), {"team_0": turret, "team_1": still}, seed), seed) for seed in range(100))
    return next((steps, seed) for steps, seed in games if any(steps[-1][2].values()))


@GAMES
def test_the_parallel_api_holds(game):
    parallel_api_test(game.parallel_env(), num_cycles=1000)


@GAMES
@pytest.mark.filterwarnings("ignore:Action space for each agent probably should be")  # it knows Discrete and Box alone
@pytest.mark.filterwarnings("ignore:Observation numpy array is all zeros")  # an agent that has fallen sees nothing
def test_the_turn_based_api_holds(game):
    api_test(game.env(), num_cycles=50)


@GAMES
def test_a_seed_names_a_game(game):
    parallel_seed_test(game.parallel_env, num_cycles=100)


@GAMES
def test_max_cycles_bound_an_episode(game):
    max_cycles_test(game)


@GAMES
def test_the_state_lies_in_its_space(game):
    state_test(game.env(), game.parallel_env(), num_cycles=200)


@GAMES
def test_it_renders(game, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    render_test(game.env)


@pytest.mark.parametrize("kind", ["1vs1", "2vs2"])
def test_it_is_in_pettingzoos_registry(kind):
    env = pettingzoo.make("parallel", f"snowball_fight_{kind}_v0", max_cycles=7)
    assert (str(env), env.spec.max_decisions) == (f"snowball_fight_{kind}_v0", 7)
    assert pettingzoo.make("aec", f"snowball_fight_{kind}_v0").possible_agents == env.possible_agents


def test_agents_are_named_after_their_teams():
    assert fight_2vs2.parallel_env().possible_agents == [
        "team_0_agent_0",
        "team_0_agent_1",
        "team_1_agent_0",
        "team_1_agent_1",
    ]


def test_fallen_members_leave_early_and_the_rest_share_the_ending():
    steps, _ = beaten(fight_2vs2)
    first_fall = next(step for step in steps if any(step[2].values()))
    fallen = [name for name, terminated in first_fall[2].items() if terminated]
    assert [name[:6] for name in fallen] == ["team_1"]
    assert first_fall[1][fallen[0]] == 0.0
    assert not first_fall[0][fallen[0]].any()
    _, rewards, terminated, _, infos = steps[-1]
    assert fallen[0] not in rewards
    assert all(terminated.values())
    assert {name: info["won"] for name, info in infos.items()} == {name: name < "team_1" for name in infos}
    losers = [name for name in rewards if name.startswith("team_1")]
    assert [rewards[name] for name in losers] == [-1.0]
    assert infos[losers[0]]["team_reward"] == -1.0
    winners = {name: reward for name, reward in rewards.items() if name not in losers}
    shares = {infos[name]["team_reward"] for name in winners}
    assert len(winners) == 2
    assert len(shares) == 1
    hits = sum(reward - shares.copy().pop() for reward in winners.values())
    assert hits == pytest.approx(ONE_VS_ONE.hit_reward)


def test_a_team_reward_comes_with_the_ending_alone():
    steps, _ = beaten(fight_2vs2)
    assert {info["team_reward"] for *_, infos in steps[:-1] for info in infos.values()} == {0.0}


def test_infos_count_an_agents_hits():
    *_, infos = beaten(fight_1vs1)[0][-1]
    assert {name: info["hits"] for name, info in infos.items()} == {"team_0_agent_0": 3, "team_1_agent_0": 0}


def test_when_time_is_up_all_are_truncated_and_nobody_has_won():
    steps = play(fight_1vs1.parallel_env(max_cycles=5), {"team_0": still, "team_1": still}, seed=0)
    *_, terminated, truncated, infos = steps[-1]
    assert not any(terminated.values())
    assert all(truncated.values())
    assert [info["won"] for info in infos.values()] == [None, None]


def test_the_second_team_starts_in_the_poses_of_the_first_turned_by_half_a_circle():
    env = fight_2vs2.parallel_env()
    env.reset(seed=0)
    agents = env.state()[1:].reshape(4, -1)
    poses = agents[:, : AGENT_FLOATS.index("health")]
    np.testing.assert_array_equal(poses[:2], -poses[2:])


def test_the_state_forgets_the_fallen_and_tells_the_time():
    env = fight_2vs2.parallel_env()
    observations, _ = env.reset(seed=beaten(fight_2vs2)[1])
    steps = 0
    while len(env.agents) == 4:
        observations, *_ = env.step(act(env, observations, {"team_0": turret, "team_1": still}))
        steps += 1
    time, agents = env.state()[0], env.state()[1:].reshape(4, -1)
    assert agents.any(axis=1).tolist() == [name in env.agents for name in env.possible_agents]
    assert round(float(time) * env.spec.max_ticks / env.spec.ticks_per_decision) == steps


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"])
def test_a_copy_goes_on_exactly_as_the_original(copied):
    env = fight_2vs2.parallel_env()
    observations, _ = env.reset(seed=0)
    for _ in range(30):
        observations, *_ = env.step(act(env, observations, {"team_0": turret, "team_1": turret}))
    actions = act(env, observations, {"team_0": turret, "team_1": turret})
    other = copied(env)
    np.testing.assert_equal(env.step(actions), other.step(actions))
    np.testing.assert_array_equal(env.state(), other.state())


BAD_STEPS = {
    "missing": (
        lambda actions: {"team_0_agent_0": actions["team_0_agent_0"]},
        ValueError,
        "There have to be actions for",
    ),
    "stranger": (lambda actions: {**actions, "team_2_agent_0": np.zeros(4, int)}, ValueError, "team_2_agent_0"),
    "floats": (lambda actions: {**actions, "team_1_agent_0": np.zeros(4)}, TypeError, "The action of team_1_agent_0"),
    "range": (lambda actions: {**actions, "team_1_agent_0": np.full(4, 3)}, ValueError, "agent 1 in arena 0"),
}


@pytest.mark.parametrize(("change", "error", "sentence"), BAD_STEPS.values(), ids=BAD_STEPS)
def test_bad_actions_are_refused_before_anything_is_played(change, error, sentence):
    env = fight_1vs1.parallel_env()
    env.reset(seed=0)
    before = env.state()
    with pytest.raises(error, match=sentence):
        env.step(change({name: np.array([1, 0, 0, 1]) for name in env.agents}))
    np.testing.assert_array_equal(env.state(), before)


def test_what_needs_a_reset_says_so():
    env = fight_1vs1.parallel_env(render_mode="rgb_array")
    for call in (lambda: env.step({}), env.state, env.render):
        with pytest.raises(RuntimeError, match="call reset first"):
            call()


@pytest.mark.parametrize("arguments", [{"max_cycles": 0}, {"render_mode": "ansi"}])
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match=r"at least one cycle|render mode"):
        fight_1vs1.parallel_env(**arguments)
