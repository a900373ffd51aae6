"""AtariPreprocessing beside SB3's AtariWrapper, and games that go on elsewhere."""

import copy
import hashlib
import json
import pickle
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.atari_wrappers import AtariWrapper
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from rl_units.dqn.preprocessing import AtariPreprocessing
from rl_units.environments import register_environments

STEPS = [2_000, pytest.param(10_000, marks=pytest.mark.slow)]


@pytest.fixture(scope="module", autouse=True)
def _atari():
    register_environments()


class Negative(gym.ObservationWrapper):
    def observation(self, observation):
        return 255 - observation


def game(name, **made):
    return Monitor(gym.make(f"{name}NoFrameskip-v4", **made))


def ours(name="Breakout", frame_skip=4, **made):
    return AtariPreprocessing(game(name, **made), frame_skip=frame_skip)


def assert_same(theirs, mine):
    """Compares what two resets or two steps gave."""
    assert theirs[0].dtype == mine[0].dtype
    np.testing.assert_array_equal(theirs[0], mine[0])
    assert [type(value) for value in theirs] == [type(value) for value in mine]
    for info in (theirs[-1], mine[-1]):
        if "episode" in info:
            assert info["episode"].pop("t") >= 0
    assert theirs[1:] == mine[1:]


def play_both(theirs, mine, steps, *, begins=True, seed=None):
    """Plays random actions in both, and resets whenever an episode ends."""
    random = np.random.default_rng(7)
    mine.unwrapped.np_random.bit_generator.state = theirs.unwrapped.np_random.bit_generator.state
    seen = {"terminated": 0, "truncated": 0}
    for _ in range(steps):
        if begins:
            assert_same(theirs.reset(seed=seed), mine.reset(seed=seed))
            seed = None
        action = random.integers(theirs.action_space.n)
        expected = theirs.step(action)
        assert_same(expected, mine.step(action))
        begins = expected[2] or expected[3]
        seen["terminated"] += expected[2]
        seen["truncated"] += expected[3]
    assert theirs.unwrapped.np_random.bit_generator.state == mine.unwrapped.np_random.bit_generator.state
    return seen


def monitor_of(env):
    return env if isinstance(env, Monitor) else monitor_of(env.env)


def assert_same_monitors(theirs, mine):
    theirs, mine = monitor_of(theirs), monitor_of(mine)
    for name in ("rewards", "needs_reset", "total_steps", "episode_returns", "episode_lengths"):
        assert getattr(theirs, name) == getattr(mine, name)
        assert repr(getattr(theirs, name)) == repr(getattr(mine, name))


def go_on(state, **made):
    """A new environment that goes on where another one was; random numbers aside."""
    other = ours(**made)
    other.set_state(state)
    return other


def play_until(env, moment, seed=None):
    """Plays random actions until a moment has come; tells whether an episode has ended with it."""
    random = np.random.default_rng(5)
    env.unwrapped.np_random = np.random.default_rng(2)
    env.reset(seed=seed)
    for step in range(5_000):
        _, _, terminated, truncated, _ = env.step(random.integers(env.action_space.n))
        ended = terminated or truncated
        if MOMENTS[moment]({"step": step, "ended": ended, "over": monitor_of(env).needs_reset}):
            return ended
        if ended:
            env.reset()
    raise AssertionError


MOMENTS = {
    "in the middle of the first game": lambda seen: seen["step"] == 20,
    "in the middle of a later game": lambda seen: seen["step"] >= 260 and not seen["ended"],
    "after a lost life": lambda seen: seen["step"] > 20 and seen["ended"] and not seen["over"],
    "after the end of a game": lambda seen: seen["over"],
}


def through_files(state, folder):
    """Writes the numbers of a state as JSON and its arrays as npz, and reads them again."""
    arrays = {}

    def without_arrays(value):
        if isinstance(value, dict):
            return {key: without_arrays(part) for key, part in value.items()}
        if isinstance(value, np.ndarray):
            arrays[f"array {len(arrays)}"] = value
            return f"array {len(arrays) - 1}"
        assert type(value) in (bool, int, float, str)
        return value

    def with_arrays(value):
        if isinstance(value, dict):
            return {key: with_arrays(part) for key, part in value.items()}
        return read[value] if value in arrays else value

    (folder / "state.json").write_text(json.dumps(without_arrays(state), sort_keys=True))
    np.savez(folder / "state.npz", **arrays)
    with np.load(folder / "state.npz", allow_pickle=False) as archive:
        read = dict(archive)
    return with_arrays(json.loads((folder / "state.json").read_text()))


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("name", ["SpaceInvaders", "Pong", "Breakout", "MsPacman", "Qbert"])
def test_all_is_as_in_stable_baselines(name, steps):
    theirs, mine = AtariWrapper(game(name)), AtariPreprocessing(game(name))

    play_both(theirs, mine, steps, seed=1)

    assert (mine.observation_space, mine.action_space) == (theirs.observation_space, theirs.action_space)
    assert_same_monitors(theirs, mine)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("MsPacman", {"noop_max": 0}),
        ("Breakout", {"noop_max": 0}),
        ("Breakout", {"terminal_on_life_loss": False}),
        ("Breakout", {"clip_reward": False}),
        ("Breakout", {"frame_skip": 1}),
        ("Breakout", {"frame_skip": 2}),
        ("Breakout", {"frame_skip": 3, "screen_size": 64}),
        ("MsPacman", {"noop_max": 0, "frame_skip": 0, "terminal_on_life_loss": False, "clip_reward": False}),
    ],
)
def test_every_setting_is_as_in_stable_baselines(name, settings):
    play_both(AtariWrapper(game(name), **settings), AtariPreprocessing(game(name), **settings), 150)


# A no-op, in Breakout eight frames of FIRE, and then four frames a step.
@pytest.mark.parametrize("name", ["Breakout", "MsPacman"])
@pytest.mark.parametrize("limit", [1, 2, 7, 21, 22, 23, 24])
def test_a_time_limit_breaks_off_at_any_frame_as_in_stable_baselines(name, limit):
    made = {"max_episode_steps": limit}
    theirs, mine = (wrapper(game(name, **made), noop_max=1) for wrapper in (AtariWrapper, AtariPreprocessing))

    assert play_both(theirs, mine, 12)["truncated"]


def test_a_time_limit_during_no_ops_is_as_in_stable_baselines():
    theirs, mine = (wrapper(game("Pong", max_episode_steps=17)) for wrapper in (AtariWrapper, AtariPreprocessing))

    assert play_both(theirs, mine, 10, seed=4)["truncated"]


def test_a_wrapper_inside_that_changes_pictures_is_heeded():
    theirs, mine = (wrapper(Negative(game("Pong"))) for wrapper in (AtariWrapper, AtariPreprocessing))

    play_both(theirs, mine, 30)


@pytest.mark.parametrize("is_checked", [True, False])
def test_two_of_four_frames_are_drawn(is_checked, monkeypatch):
    env, drawn = ours(disable_env_checker=not is_checked), []
    draw = env.unwrapped.ale.getScreenRGB
    env.reset(seed=1)
    monkeypatch.setattr(env.unwrapped, "_get_obs", lambda: drawn.append(env.unwrapped._obs_type) or draw())

    env.step(0)

    assert drawn == ["ram", "ram", "rgb", "rgb"]
    assert env.unwrapped._obs_type == "rgb"


def test_sticky_actions_are_refused():
    with pytest.raises(ValueError, match="Sticky actions are not supported"):
        AtariPreprocessing(game("Pong"), action_repeat_probability=0.25)


@pytest.mark.parametrize("made", [{"id": "CartPole-v1"}, {"id": "PongNoFrameskip-v4", "obs_type": "grayscale"}])
def test_other_environments_are_refused(made):
    with pytest.raises(ValueError, match="no Atari game with RGB pictures"):
        AtariPreprocessing(gym.make(**made))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("name", ["Breakout", "Qbert"])
def test_a_saved_game_goes_on_to_the_bit(name, moment, tmp_path):
    env = ours(name)
    has_ended = play_until(env, moment, seed=2)

    other = go_on(through_files(env.get_state(), tmp_path), name=name)

    assert_same_monitors(env, other)
    assert play_both(env, other, 200, begins=has_ended)["terminated"]
    for _ in range(2):
        assert_same(env.reset(), other.reset())
        env._is_over = other._is_over = True
    play_both(env, other, 50)
    assert_same_monitors(env, other)


def test_a_saved_game_runs_out_of_time_at_the_same_step():
    env = ours(max_episode_steps=90)
    play_until(env, "in the middle of the first game")

    other = go_on(env.get_state(), max_episode_steps=90)

    assert play_both(env, other, 60, begins=False)["truncated"]


def test_an_episode_broken_off_at_once_shows_the_saved_pictures():
    env = ours("MsPacman", max_episode_steps=40)  # it has no FIRE, after which there would be others
    play_until(env, "after the end of a game")
    pictures = env.get_state()["last_two"]

    other = go_on(env.get_state(), name="MsPacman", max_episode_steps=40)

    other.reset()
    other.env.env._elapsed_steps = 39
    np.testing.assert_array_equal(other.step(0)[0], other._shrink(pictures.max(axis=0)))


@pytest.mark.parametrize("made", [{}, {"disable_env_checker": True}])
def test_an_environment_that_has_never_been_played_can_be_saved(made):
    env = ours("Qbert", **made)

    other = go_on(env.get_state(), name="Qbert", **made)

    play_both(env, other, 60)


def test_a_game_just_begun_can_be_saved_before_gymnasium_has_checked_a_step():
    env = AtariPreprocessing(game("MsPacman"), noop_max=0)
    env.reset(seed=1)

    play_both(env, go_on(env.get_state(), name="MsPacman"), 60, begins=False)


def test_a_state_can_be_saved_again_at_once():
    env = ours("Qbert")
    play_until(env, "in the middle of the first game")

    again = go_on(env.get_state(), name="Qbert")

    play_both(env, go_on(again.get_state(), name="Qbert"), 60, begins=False)


def test_sticky_actions_of_the_emulator_are_saved():
    def sticky():
        return AtariPreprocessing(Monitor(gym.make("ALE/Breakout-v5")), frame_skip=1)

    env, other = sticky(), sticky()
    play_until(env, "in the middle of the first game")

    other.set_state(env.get_state())

    play_both(env, other, 150, begins=False)


def test_time_goes_on_from_the_last_episode():
    env = ours()
    play_until(env, "after the end of a game")
    monitor_of(env).episode_times[-1] = 1_000.0

    other = go_on(env.get_state())

    play_until(other, "after the end of a game")
    assert monitor_of(other).episode_times[0] == 1_000.0
    assert 1_000.0 <= monitor_of(other).episode_times[1] < 1_300.0


IN_A_NEW_PROCESS = """
import hashlib, pickle, sys
from pathlib import Path
import gymnasium as gym
from stable_baselines3.common.monitor import Monitor
from rl_units.dqn.preprocessing import AtariPreprocessing
from rl_units.environments import register_environments

register_environments()
env = AtariPreprocessing(Monitor(gym.make("QbertNoFrameskip-v4")))
state, env.unwrapped.np_random.bit_generator.state = pickle.loads(Path(sys.argv[1]).read_bytes())
env.set_state(state)
"""

TELL = """
seen = hashlib.sha256()
for step in range(200):
    outcome = env.step(step % 6)
    seen.update(outcome[0].tobytes() + repr(outcome[1:4]).encode())
    if outcome[2] or outcome[3]:
        seen.update(env.reset()[0].tobytes())
print(seen.hexdigest())
"""


def test_a_saved_game_goes_on_in_a_new_process(tmp_path, capsys):
    env = ours("Qbert")
    play_until(env, "in the middle of a later game")
    saved = (env.get_state(), env.unwrapped.np_random.bit_generator.state)
    (tmp_path / "state").write_bytes(pickle.dumps(saved))

    elsewhere = subprocess.run(
        [sys.executable, "-c", IN_A_NEW_PROCESS + TELL, str(tmp_path / "state")],
        check=True,
        capture_output=True,
        text=True,
    )

    exec(TELL, {"env": env, "hashlib": hashlib})
    assert elsewhere.stdout == capsys.readouterr().out


def test_vectorised_environments_are_saved_one_by_one():
    envs = DummyVecEnv([lambda: ours("Pong"), lambda: ours("Pong")])
    envs.reset()
    envs.step([2, 3])

    states = envs.env_method("get_state")
    for index, state in enumerate(states):
        envs.env_method("set_state", state, indices=index)

    assert envs.get_attr("can_be_saved") == [True, True]
    assert states[0]["checksum"] != states[1]["checksum"]


@pytest.mark.parametrize(
    "make_inner",
    [lambda: Negative(game("Pong")), lambda: Monitor(game("Pong").env, reset_keywords=("seed",))],
)
def test_an_unknown_wrapper_inside_cannot_be_saved(make_inner):
    env = AtariPreprocessing(make_inner())
    state = ours("Pong").get_state()

    assert not env.can_be_saved
    for call in (env.get_state, lambda: env.set_state(state)):
        with pytest.raises(TypeError, match="has a wrapper whose state is not known"):
            call()


def damaged(state, change):
    state = copy.deepcopy(state)
    change(state)
    return state


@pytest.fixture(scope="module")
def saved(_atari):
    env = ours()
    env.reset(seed=1)
    return env.get_state()


DAMAGES = {
    "something is missing": lambda state: state.pop("lives"),
    "something is too much": lambda state: state["wrappers"]["0 Monitor"].update(step=None),
    "a number is a fraction": lambda state: state.update(lives=3.0),
    "a number is a word": lambda state: state["wrappers"]["0 Monitor"].update(total_steps="many"),
    "an array is a list": lambda state: state.update(pressed=[0, 1]),
    "an array is of other numbers": lambda state: state.update(pressed=state["pressed"].astype(np.int64)),
    "an array has more axes": lambda state: state.update(pressed=state["pressed"][None]),
    "an array has other sizes": lambda state: state.update(last_two=state["last_two"][:, :200]),
    "an array is too long": lambda state: state.update(last_two=np.repeat(state["last_two"], 2, axis=0)),
    "a wrapper is another one": lambda state: state["wrappers"].update({"0 Other": state["wrappers"].pop("0 Monitor")}),
    "an action is none": lambda state: state.update(pressed=np.full(3, 4, np.uint8)),
    "there are negative frames": lambda state: state["before"].update(frame_number=-1),
    "there are too many frames": lambda state: state["before"].update(frame_number=2**31),
    "a memory is missing": lambda state: state["before"].update(memories=state["before"]["memories"][:0]),
    "a generator is missing": lambda state: state["before"].update(generators=state["before"]["generators"][:1]),
    "a generator is elsewhere": lambda state: state["before"]["generators"].__setitem__((0, 624), 625),
}


@pytest.fixture(scope="module")
def unharmed(_atari):
    env = ours()
    env.reset(seed=3)
    return env


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_is_refused_and_changes_nothing(damage, saved, unharmed):
    before = pickle.dumps(unharmed.get_state())

    with pytest.raises(ValueError):  # noqa: PT011 # some are numpy's and Python's own
        unharmed.set_state(damaged(saved, DAMAGES[damage]))

    assert pickle.dumps(unharmed.get_state()) == before


@pytest.mark.parametrize("state", [None, [], {}, "state"])
def test_what_is_no_state_is_refused(state, unharmed):
    with pytest.raises(ValueError, match="damaged, or of another game"):
        unharmed.set_state(state)


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state["before"]["generators"].__setitem__((1, 5), state["before"]["generators"][1, 5] ^ 1),
        lambda state: state.update(pressed=state["pressed"][:-1]),
        lambda state: state.update(checksum=state["checksum"] ^ 1),
    ],
)
def test_a_game_that_comes_out_differently_is_refused(change, saved):
    env = ours()

    with pytest.raises(ValueError, match="came out differently"):
        env.set_state(damaged(saved, change))

    env.reset(seed=1)
    assert env.get_state()["checksum"] == saved["checksum"]


@pytest.mark.parametrize(
    "other",
    [{"name": "Pong"}, {"frame_skip": 2}, {"max_episode_steps": 9}, {"disable_env_checker": True}],
)
def test_the_state_of_another_environment_is_refused(other, saved):
    with pytest.raises(ValueError, match="of another game, frame skip or wrapping"):
        ours(**other).set_state(saved)
