"""A Unity environment for Gymnasium, SB3 and PettingZoo: scripted ones, and Snowball Fight over the wire."""

import gc
import socket
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from sb3_contrib import MaskablePPO
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.evaluation import evaluate_policy

from mlagents_bridge.connect import UnityParallelEnv, UnityVecEnv, UnityVectorEnv, choosing
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.serve.launcher import write_launcher
from mlagents_recordings import MENAGERIE
from mlagents_scripted_player import CHOOSERS, ROBOT, WALKER, write_scripted_player
from snowball_fight import ONE_VS_ONE, Arenas
from snowball_fight.layout import SLICES

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of PettingZoo's own classic games
    from pettingzoo.test import parallel_api_test, parallel_seed_test

ARENAS = 3
WINNING = {"continuous": [0.5], "discrete": [2, 3]}


@pytest.fixture(scope="module")
def players(tmp_path_factory):
    """Executables: Snowball Fight by our own serving side, and scripted ones."""
    folder = tmp_path_factory.mktemp("players")

    def player(name, *scene):
        return write_scripted_player(folder / f"{name}.x86_64", *scene).with_suffix("")

    for name, env in (("duel", "snowball_fight_1v1"), ("teams", "snowball_fight_2v2")):
        write_launcher(folder / f"{name}.x86_64", [f"--env={env}", f"--arenas={ARENAS}"])
    return {
        "duel": folder / "duel",
        "teams": folder / "teams",
        "mirror": player("mirror", "mirror", 3),
        "keeper": player("keeper", "mirror", 3, 1),
        "menagerie": player("menagerie", "menagerie"),
        "late": player("late", "late"),
        "dull": player("dull", "faulty", "terminal_only"),
        "recorded": player("recorded", "replay", MENAGERIE),
    }


@pytest.fixture
def make(players):
    """Makes faces, and closes them at the end."""
    made = []

    def new(face, name, *arguments, **settings):
        made.append(face(players[name], *arguments, timeout=60, **settings))
        return made[-1]

    yield new
    for env in made:
        env.close()


def test_snowball_fight_over_the_wire_is_the_native_game(make):
    rules = {"max_ticks": 150, "hits_to_fall": 1}
    env = make(UnityVectorEnv, "duel", seed=4, parameters=rules)
    arenas = Arenas(replace(ONE_VS_ONE, **rules), ARENAS, autoreset=AutoresetMode.SAME_STEP)
    random = np.random.default_rng(0)
    seen, _ = env.reset()
    native = arenas.reset(ARENAS * 4)
    ends = 0
    for _ in range(150):
        for name, part in SLICES.items():
            # Slots are team by team, the native game is arena by arena.
            assert np.array_equal(seen[name], np.concatenate([native[:, 0, part], native[:, 1, part]]))
        actions = random.integers([3, 3, 3, 2], size=(2 * ARENAS, 4))
        seen, rewards, terminated, truncated, infos = env.step(actions)
        outcome = arenas.step(np.stack([actions[:ARENAS], actions[ARENAS:]], axis=1))
        native = outcome.observations
        assert np.array_equal(rewards, outcome.rewards.T.ravel())
        assert np.array_equal(terminated, outcome.terminated.T.ravel())
        assert np.array_equal(truncated, outcome.truncated.T.ravel())
        for slot in np.flatnonzero(terminated | truncated):
            ends += 1
            last = outcome.final_observations[slot % ARENAS, slot // ARENAS]
            assert all(np.array_equal(infos["final_obs"][slot][name], last[part]) for name, part in SLICES.items())
    assert ends


def test_gymnasium_finds_what_its_spaces_promise(make):
    env = RecordEpisodeStatistics(make(UnityVectorEnv, "mirror", seed=2))
    env.action_space.seed(0)
    seen, infos = env.reset()
    assert env.num_envs == 3
    asked = []
    for _ in range(60):
        assert env.observation_space.contains(seen)
        assert infos["action_mask"].all()
        seen, rewards, terminated, truncated, infos = env.step(env.action_space.sample())
        assert (rewards.shape, rewards.dtype) == ((3,), np.float64)
        asked.append(infos["awaits_action"])
        ended = terminated | truncated
        assert ended.any() == ("final_obs" in infos)
        if ended.any():
            assert np.array_equal(infos["_final_obs"], ended)
            assert all(env.single_observation_space.contains(last) for last in infos["final_obs"][ended])
    assert 0 < np.mean(asked) < 1
    assert env.episode_count > 3


@pytest.mark.parametrize("scene", ["mirror", "keeper"])
def test_each_agent_gets_the_action_that_its_slot_was_given(make, scene):
    env = make(UnityVectorEnv, scene, seed=3)
    random = np.random.default_rng(0)
    for _ in range(2):
        seen, infos = env.reset()
        given = np.zeros((3, 3))
        for _ in range(80):
            actions = {
                "continuous": random.random((3, 1), np.float32),
                "discrete": random.integers([3, 4], size=(3, 2)),
            }
            asked = infos["awaits_action"]
            given[asked] = np.concatenate([actions["continuous"], actions["discrete"]], axis=1)[asked]
            agents = seen[:, 0].copy()
            seen, _, terminated, truncated, infos = env.step(actions)
            for slot in range(3):
                last = infos["final_obs"][slot] if (terminated | truncated)[slot] else seen[slot]
                assert last[0] == agents[slot]
                if infos["awaits_action"][slot] or (terminated | truncated)[slot]:
                    assert last[1:] == pytest.approx(given[slot])
                if seen[slot, 0] != agents[slot]:
                    given[slot] = 0


def test_what_is_earned_between_two_decisions_is_not_lost(make, monkeypatch):
    env = make(UnityVectorEnv, "mirror", seed=1)
    exchanges, step = [], env.session.step
    monkeypatch.setattr(env.session, "step", lambda actions: exchanges.append(actions) or step(actions))
    actions = {name: np.array([value] * 3) for name, value in WINNING.items()}
    env.reset()
    returns, lengths, total = np.zeros(3), np.zeros(3), 0
    for _ in range(100):
        exchanges.clear()
        _, rewards, terminated, truncated, infos = env.step(actions)
        returns += rewards
        lengths += len(exchanges)
        ended = terminated | truncated
        assert np.array_equal(returns[ended], lengths[ended])  # one for every message of the episode
        total += ended.sum()
        returns[ended] = lengths[ended] = 0
        assert "group_reward" in infos
    assert total > 10


def test_a_seed_gives_the_same_game_again(make):
    env = make(UnityVectorEnv, "mirror", seed=1)
    actions = {name: np.array([value] * 3) for name, value in WINNING.items()}

    def played(seed):
        env.reset(seed=seed)
        return np.concatenate([env.step(actions)[1] for _ in range(30)])

    first = played(1)
    assert np.array_equal(first, played(1))  # which starts it again
    assert not np.array_equal(first, played(2))


def test_the_first_reset_uses_the_beginning_that_is_there(make):
    env = make(UnityVectorEnv, "mirror")
    first, _ = env.reset()
    second, _ = env.reset()
    assert first[:, 0].tolist() == [0, 1, 2]  # the agents' numbers
    assert second[:, 0].tolist() == [3, 4, 5]


def test_several_behaviors_have_to_be_told_apart():
    behaviors = {behavior.name: behavior for behavior in (WALKER, ROBOT, *CHOOSERS)}
    with pytest.raises(BridgeError, match="several behaviours, so one has to be named: Chooser, Robot, Walker"):
        choosing.one(None)(behaviors)
    for choose in (choosing.one, choosing.each):
        with pytest.raises(BridgeError, match="no behaviour 'Cat', but Chooser"):
            choose("Cat")(behaviors)
    different = replace(CHOOSERS[1], branches=(5,))
    with pytest.raises(BridgeError, match="differ in what they see or do"):
        choosing.one("Chooser")({**behaviors, different.name: different})
    assert choosing.one("Chooser")(behaviors) == [list(CHOOSERS)]
    assert choosing.one("Chooser?team=1")(behaviors) == [[CHOOSERS[1]]]
    assert choosing.each("Chooser")(behaviors) == [[chooser] for chooser in CHOOSERS]


@pytest.mark.parametrize("behavior", [WALKER, CHOOSERS[0], ROBOT], ids=lambda behavior: behavior.name)
def test_a_recorded_game_is_played_again(make, behavior):
    env = make(UnityVectorEnv, "recorded", behavior.name)
    env.action_space.seed(0)
    seen, infos = env.reset()
    ends = 0
    for _ in range(8):
        assert env.observation_space.contains(seen)
        seen, _, terminated, truncated, infos = env.step(env.action_space.sample())
        ends += (terminated | truncated).sum()
    assert ends
    if behavior in CHOOSERS:
        assert not infos["action_mask"].all()


def test_an_environment_that_ends_by_itself_says_so(make):
    env = make(UnityVectorEnv, "recorded", "Walker")
    env.reset()
    with pytest.raises(BridgeError, match="has ended by itself"):
        for _ in range(50):
            env.step(np.zeros((4, 2), np.float32))


def test_agents_that_come_late_are_waited_for(make):
    env = make(UnityVectorEnv, "late")
    assert env.num_envs == 1
    assert env.reset()[1]["awaits_action"].all()


def test_an_environment_in_which_nobody_asks_any_more_says_so(make):
    env = make(UnityVectorEnv, "dull")
    env.session.settings = replace(env.session.settings, timeout=1)
    with pytest.raises(BridgeError, match="No agent of the environment has asked for an action for 1 seconds"):
        for _ in range(5):
            env.step({"continuous": np.zeros((1, 1)), "discrete": np.zeros((1, 2), int)})


def test_an_editor_keeps_its_seed_and_says_so(players, tmp_path):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [players["mirror"].with_suffix(".x86_64"), "--mlagents-port", str(port), "-logFile", tmp_path / "log"]
    with subprocess.Popen(command) as editor:
        env = UnityVectorEnv(None, port=port, timeout=60)
        with pytest.warns(UserWarning, match="A running editor takes no new seed"):
            env.reset(seed=5)
        env.close()
        assert editor.wait(20) == 0


def test_pettingzoo_finds_a_parallel_environment_in_snowball_fight(make):
    env = make(UnityParallelEnv, "duel")
    assert env.possible_agents[0] == "SnowballFight_team_0_agent_0"
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        parallel_api_test(env, num_cycles=60)
    assert not told


def test_pettingzoo_finds_the_same_game_by_its_seed(players):
    parallel_seed_test(lambda: UnityParallelEnv(players["mirror"], timeout=60, seed=42), num_cycles=10)


def test_members_that_fall_early_leave_before_the_others(make):
    env = make(UnityParallelEnv, "teams", "SnowballFight2vs2", parameters={"hits_to_fall": 1, "max_ticks": 1000})
    env.reset()
    assert len(env.possible_agents) == 4 * ARENAS
    for agent in env.agents:
        env.action_space(agent).seed(1)
    numbers = set()
    while env.agents:
        numbers.add(len(env.agents))
        before = list(env.agents)
        seen, _, terminated, truncated, _ = env.step({agent: env.action_space(agent).sample() for agent in before})
        assert set(seen) == set(before)
        assert env.agents == [agent for agent in before if not (terminated[agent] or truncated[agent])]
    assert len(numbers) > 1
    with pytest.raises(RuntimeError, match="call reset first"):
        env.step({})
    env.reset()
    assert env.agents == env.possible_agents


def test_all_kinds_of_agents_are_in_one_parallel_environment(make):
    env = make(UnityParallelEnv, "recorded")
    seen, infos = env.reset()
    assert len(env.agents) == 16
    assert isinstance(env.action_space("Robot_agent_0"), spaces.Dict)
    assert infos["Chooser_team_0_agent_1"]["action_mask"].dtype == np.int8
    for _ in range(5):
        assert all(env.observation_space(agent).contains(seen[agent]) for agent in env.agents)
        seen, *_ = env.step({agent: env.action_space(agent).sample() for agent in env.agents})
    with pytest.raises(ValueError, match="There have to be actions for"):
        env.step({"Robot_agent_0": env.action_space("Robot_agent_0").sample()})


def test_sb3_learns_snowball_fight(make):
    env = make(UnityVecEnv, "duel", "SnowballFight", seed=1)
    model = PPO("MultiInputPolicy", env, n_steps=32, batch_size=64, n_epochs=1, device="cpu")
    model.learn(2 * 32 * env.num_envs)
    assert model.num_timesteps == 2 * 32 * 2 * ARENAS


def test_sb3_gives_its_seed_to_the_environment(make):
    env = make(UnityVecEnv, "mirror")
    env.seed(2**31 + 3)
    env.reset()
    assert env.session.settings.seed == 3


def test_sb3_gets_ends_as_it_wants_them(make):
    env = make(UnityVecEnv, "mirror", seed=1)
    seen = env.reset()
    action = np.array([[0.5, 0, 0, 1, 0, 0, 0, 1]] * 3, np.float32)  # the winning one, as scores
    episodes = {True: 0, False: 0}
    returns = np.zeros(3)
    for _ in range(60):
        before = seen[:, 0].copy()
        seen, rewards, dones, infos = env.step(action)
        returns += rewards
        for slot in np.flatnonzero(dones):
            info = infos[slot]
            assert info["terminal_observation"][0] == before[slot]
            assert info["TimeLimit.truncated"] == bool(before[slot] % 2)  # as the scene has it
            assert info["episode"]["r"] == returns[slot]
            episodes[info["TimeLimit.truncated"]] += 1
        returns[dones] = 0
    assert all(episodes.values())


def test_sb3_learns_continuous_and_discrete_actions_together(make):
    env = make(UnityVecEnv, "mirror")
    model = SAC("MlpPolicy", env, learning_starts=30, seed=0, device="cpu", policy_kwargs={"net_arch": [16]})
    model.learn(60)
    assert len(evaluate_policy(model, env, n_eval_episodes=3)) == 2


def test_maskable_ppo_takes_allowed_choices_only(make, monkeypatch):
    env = make(UnityVecEnv, "menagerie", "Chooser")
    forbidden = []
    step = env._play.step

    def watched(actions, *rest):
        moment, chosen = env._lineup.moment, actions[0].discrete
        rows = np.arange(len(chosen))
        forbidden.append(moment.forbidden.any())
        assert not moment.forbidden[rows, chosen[:, 0]].any()
        assert not moment.forbidden[rows, 3 + chosen[:, 1]].any()
        step(actions, *rest)

    monkeypatch.setattr(env._play, "step", watched)
    model = MaskablePPO("MultiInputPolicy", env, n_steps=14, batch_size=56, n_epochs=1, device="cpu")
    model.learn(14 * env.num_envs)
    assert any(forbidden)


def test_what_belongs_to_no_slot_is_told(make):
    env = make(UnityVecEnv, "mirror")
    with pytest.raises(AttributeError, match="no slot has a method 'fly'"):
        env.env_method("fly")
    with pytest.raises(TypeError, match="speed"):
        UnityVecEnv("anything", speed=3)
    assert env.get_attr("render_mode") == [None] * 3
    assert env.env_method("action_masks", indices=[1])[0].tolist() == [True] * 7


def test_gymnasium_and_pettingzoo_need_no_torch():
    code = (
        "import sys; from mlagents_bridge.connect import UnityParallelEnv, UnityVectorEnv\n"
        "print({'torch', 'stable_baselines3', 'mlagents_bridge.serve'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("face", [UnityVectorEnv, UnityVecEnv, UnityParallelEnv])
def test_a_face_that_could_not_be_made_leaves_no_trace(face, tmp_path):
    with pytest.raises(BridgeError, match="There is no environment"):
        face(tmp_path / "Nothing")
    gc.collect()  # whatever happens in a destructor is an error of the test
