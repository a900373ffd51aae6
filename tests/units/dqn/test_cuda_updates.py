"""Updates in a graph beside SB3's `train`; what needs no GPU is compared on the CPU."""

import copy
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch as th
from hypothesis import given
from hypothesis import strategies as st
from stable_baselines3 import DQN
from stable_baselines3.common.logger import configure

from flicker import flickering, play
from rl_units.dqn import algorithm, device_batches
from rl_units.dqn.algorithm import FastDQN
from rl_units.dqn.cuda_updates import GraphedUpdates, Updates, graphed_buffer, updates_per_graph
from rl_units.dqn.device_batches import Batches, FramesOnDevice, FramesOnHost
from rl_units.dqn.frame_replay import FrameReplayBuffer

CPU = th.device("cpu")
EPISODES = ((5, False), (3, True), (1, False), (8, False), (2, True))
SETTINGS = {"policy_kwargs": {"features_extractor_kwargs": {"features_dim": 16}}, "buffer_size": 60, "seed": 1}
OURS = {"replay_buffer_class": FrameReplayBuffer, "replay_buffer_kwargs": {"n_stack": 4}}

with_a_gpu = pytest.mark.skipif(not th.cuda.is_available(), reason="no CUDA device")


def game(n_envs, episodes=EPISODES, size=36):
    return flickering(episodes, n_envs, 4, (size, size, 1))


class Player:
    """Fills a buffer, and goes on where it stopped."""

    def __init__(self, env, buffer):
        self._env, self._buffer, self._observation = env, buffer, None
        self._random = np.random.default_rng(7)

    def play(self, steps):
        self._observation = play(self._env, [self._buffer], steps, self._observation, self._random)


def player(device="cpu", **settings):
    """A model with a falling learning rate and short gradients, and who fills its buffer."""
    settings = {"learning_rate": lambda left: 1e-3 * left, "max_grad_norm": 0.05, **SETTINGS, **settings}
    model = DQN("CnnPolicy", game(2), device=device, **settings)
    model.set_logger(configure(None, []))
    return model, Player(model.env, model.replay_buffer)


def losses_of_updates(model, updates, players, rounds=3):
    """Three times: plays, and updates with another learning rate."""
    losses = []
    for number in range(rounds):
        players.play(17)
        model._current_progress_remaining = 1 - number / 4
        np.random.seed(number)  # noqa: NPY002 # buffers draw with it
        model._update_learning_rate(model.policy.optimizer)
        losses.append(updates())
    return losses


def assert_same_weights(ours, theirs, rtol=1e-4, atol=1e-6):
    for mine, its in zip(ours.policy.parameters(), theirs.policy.parameters(), strict=True):
        th.testing.assert_close(mine, its, rtol=rtol, atol=atol)


class Recording:
    """Work that is done over and over, as a CUDA graph would do it."""

    made = 0

    def __init__(self, work, device):
        type(self).made += 1
        self.replay = work
        work()

    def wait(self):
        pass


class Repeated(GraphedUpdates):
    record = Recording


def updates_of(kind, model, place, n_updates=2, **settings):
    buffer = model.replay_buffer
    frames = FramesOnHost(buffer) if place == "host" else FramesOnDevice(buffer, n_updates * 8, model.device)
    return kind(model, buffer, n_updates, 8, frames=frames, **settings)


@pytest.mark.parametrize("place", ["host", "device"])
@pytest.mark.parametrize("kind", [Updates, Repeated])
def test_updates_are_those_of_stable_baselines(kind, place):
    (ours, mine), (theirs, its) = player(**OURS), player()
    updates = updates_of(kind, ours, place)

    def train():
        theirs.train(2, 8)
        return theirs.logger.name_to_value["train/loss"]

    seen = losses_of_updates(ours, updates.run, mine)
    expected = losses_of_updates(theirs, train, its)

    assert_same_weights(ours, theirs)
    if kind is Updates:
        assert [losses.mean() for losses in seen] == pytest.approx(expected, rel=1e-4)
    else:
        assert seen[0] is None
        assert [losses.mean() for losses in seen[1:]] == pytest.approx(expected[:-1], rel=1e-4)


def test_what_is_recorded_follows_weights_that_were_loaded():
    (repeated, one), (plain, other) = player(**OURS), player(**OURS)
    Recording.made = 0

    for model, played, kind in ((repeated, one, Repeated), (plain, other, Updates)):
        updates = updates_of(kind, model, "host")
        losses_of_updates(model, updates.run, played)
        # Moments stand in another place then.
        model.set_parameters(copy.deepcopy(model.get_parameters()))
        losses_of_updates(model, updates.run, played)

    assert Recording.made == 2
    assert_same_weights(repeated, plain, 0, 0)


class Forgetful(Recording):
    """A graph that does nothing when it is replayed."""

    def __init__(self, work, device):
        super().__init__(work, device)
        self.replay = lambda: None


def test_a_graph_that_does_something_else_is_not_used():
    model, played = player(**OURS)
    updates = updates_of(type("Wrong", (GraphedUpdates,), {"record": Forgetful}), model, "host")
    before = copy.deepcopy(model.policy.state_dict())

    with pytest.raises(RuntimeError, match="does not do what the updates do"):
        losses_of_updates(model, updates.run, played)

    assert all(th.equal(before[name], tensor) for name, tensor in model.policy.state_dict().items())


def test_what_is_saved_is_an_ordinary_optimizer():
    model, played = player(**OURS)
    losses_of_updates(model, updates_of(Repeated, model, "device").run, played)

    (group,) = model.get_parameters()["policy.optimizer"]["param_groups"]

    assert (group["lr"], group["capturable"]) == (5e-4, False)
    assert type(group["lr"]) is float


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_less_precise_updates_are_much_the_same_and_change_no_setting(precision):
    (ours, mine), (theirs, its) = player(**OURS), player(**OURS)
    before = th.backends.cuda.matmul.fp32_precision

    seen = losses_of_updates(ours, updates_of(Updates, ours, "host", precision=precision).run, mine)
    expected = losses_of_updates(theirs, updates_of(Updates, theirs, "host").run, its)

    np.testing.assert_allclose(seen, expected, rtol=0.05)
    assert np.array_equal(seen, expected) == (precision == "tf32")  # a CPU knows no TF32
    assert th.backends.cuda.matmul.fp32_precision == before


@given(
    episodes=st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=6),
    n_envs=st.integers(1, 3),
    capacity=st.integers(3, 40),
    rounds=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    place=st.sampled_from([FramesOnHost, FramesOnDevice]),
    is_in_files=st.booleans(),
)
def test_batches_are_those_of_the_buffer(episodes, n_envs, capacity, rounds, place, is_in_files):
    env = game(n_envs, episodes, 12)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(device_batches, "_STAGED_FRAMES", 12)
        folder = Path(folder) if is_in_files else None
        arguments = (capacity, env.observation_space, env.action_space, "cpu", n_envs)
        buffer = FrameReplayBuffer(*arguments, n_stack=4, folder=folder)
        frames = FramesOnHost(buffer) if place is FramesOnHost else FramesOnDevice(buffer, 21, CPU)
        drawn, played = Batches(buffer, frames, 3, 7, CPU), Player(env, buffer)
        for steps in rounds:
            played.play(steps)
            np.random.seed(steps)  # noqa: NPY002 # buffers draw with it
            expected = [buffer.sample(7) for _ in range(3)]
            following = np.random.rand()  # noqa: NPY002 # as above
            np.random.seed(steps)  # noqa: NPY002 # as above

            drawn.draw(0.25)

            assert np.random.rand() == following  # noqa: NPY002 # as above
            for batch, sample in zip(drawn.upload(), expected, strict=True):
                for name in ("observations", "actions", "next_observations", "dones", "rewards"):
                    assert getattr(batch, name).dtype == getattr(sample, name).dtype
                    assert getattr(batch, name).equal(getattr(sample, name)), name
            assert drawn.learning_rate == 0.25


@pytest.mark.parametrize("gradient_steps", [1, 3, -1])
def test_a_whole_run_is_the_one_that_it_is_without_a_graph(gradient_steps, monkeypatch, tmp_path):
    settings = SETTINGS | {"learning_starts": 40, "batch_size": 8, "train_freq": 4, "gradient_steps": gradient_steps}
    plain = FastDQN("CnnPolicy", game(4), device="cpu", **settings).learn(200)
    monkeypatch.setattr(algorithm, "graphed_buffer", lambda model: model.replay_buffer)
    monkeypatch.setattr(GraphedUpdates, "record", Recording)
    Recording.made = 0

    graphed = FastDQN("CnnPolicy", game(4), device="cpu", **settings).learn(200)
    graphed.save(tmp_path / "model.zip")

    assert (Recording.made, graphed._n_updates) == (1, plain._n_updates)
    assert np.isfinite(graphed.logger.name_to_value["train/loss"])
    assert_same_weights(graphed, plain, 1e-3, 1e-5)
    assert_same_weights(DQN.load(tmp_path / "model.zip", device="cpu"), graphed, 0, 0)


@pytest.mark.parametrize(("n_updates", "per_graph"), [(1, 1), (2, 2), (12, 6), (16, 8), (11, 1), (1000, 8)])
def test_some_replays_make_all_updates(n_updates, per_graph):
    assert updates_per_graph(n_updates) == per_graph


def test_without_a_gpu_updates_are_made_as_in_stable_baselines():
    model, _ = player(**OURS)

    assert graphed_buffer(model) is None


@with_a_gpu
@pytest.mark.parametrize("place", ["host", "device"])
def test_a_graph_makes_the_updates_that_are_made_without_it(place):
    (graphed, one), (plain, other) = player("cuda", **OURS), player("cuda", **OURS)
    updates = updates_of(GraphedUpdates, graphed, place), updates_of(Updates, plain, place)

    for _ in range(2):
        seen = losses_of_updates(graphed, updates[0].run, one)
        expected = losses_of_updates(plain, updates[1].run, other)
        np.testing.assert_allclose(seen[-1], expected[-2], rtol=1e-3)
        # Moments in another place, which the graph has to find.
        graphed.set_parameters(copy.deepcopy(graphed.get_parameters()))

    assert_same_weights(graphed, plain, 1e-3, 1e-5)


@with_a_gpu
@pytest.mark.parametrize("precision", ["float32", "tf32", "bf16"])
def test_a_whole_run_on_a_gpu_is_loaded_by_stable_baselines(precision, tmp_path):
    settings = {"buffer_size": 400, "learning_starts": 40, "batch_size": 8, "train_freq": 4}
    model = FastDQN("CnnPolicy", game(8), device="cuda", precision=precision, **SETTINGS | settings)
    before = copy.deepcopy(model.get_parameters()["policy"])
    model.learn(400)
    model.save(tmp_path / "model.zip")

    loaded = DQN.load(tmp_path / "model.zip", device="cpu", env=game(8))

    assert np.isfinite(model.logger.name_to_value["train/loss"])
    assert any(not tensor.equal(before[name]) for name, tensor in model.get_parameters()["policy"].items())
    for name, tensor in loaded.get_parameters()["policy"].items():
        assert tensor.equal(model.get_parameters()["policy"][name].cpu())
    loaded.learn(60)


@with_a_gpu
def test_frames_are_on_the_gpu_if_there_is_room(monkeypatch):
    buffer = player("cuda", **OURS)[0].replay_buffer

    assert type(device_batches.choose_frames(buffer, 8, th.device("cuda"))) is FramesOnDevice
    monkeypatch.setattr(device_batches, "KEPT_FREE", 10**15)
    assert type(device_batches.choose_frames(buffer, 8, th.device("cuda"))) is FramesOnHost
