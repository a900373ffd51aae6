"""Copies of a policy that a run keeps."""

import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy

from rl_units.errors import CheckpointError
from rl_units.self_play.past_selves import PastSelves

OBSERVATIONS, ACTIONS = spaces.Box(-1, 1, (3,), np.float32), spaces.MultiDiscrete([3, 2])


@pytest.fixture
def policy():
    return ActorCriticPolicy(OBSERVATIONS, ACTIONS, lambda _: 0.0, net_arch=[4])


def certain(policy, choice):
    """Makes a policy that all but always takes one choice of its first branch."""
    policy.action_net.weight.data.zero_()
    policy.action_net.bias.data[:3] = 0
    policy.action_net.bias.data[choice] = 50
    return policy


def first_choices(selves):
    """What the past selves choose on the first branch, all of them together."""
    drawn = selves.draw(50, np.random.default_rng(0))
    return {int(choice) for one in drawn for choice in one.predict(np.zeros((5, 3), np.float32))[0][:, 0]}


def test_the_newest_are_kept(policy, tmp_path):
    selves = PastSelves(tmp_path / "past", window=3)
    for steps in (0, 100, 200, 300, 400):
        selves.add(policy, steps)

    assert selves.steps == [200, 300, 400]
    assert sorted(path.name for path in (tmp_path / "past").iterdir()) == [
        "200.safetensors", "300.safetensors", "400.safetensors",
    ]  # fmt: skip


def test_a_copy_stays_as_it_was_when_the_policy_learns(policy, tmp_path):
    selves = PastSelves(tmp_path, window=2)
    selves.add(certain(policy, 1), 0)
    certain(policy, 2)

    assert first_choices(selves) == {1}


def test_a_resumed_run_meets_the_same_past_selves_and_none_of_its_future(policy, tmp_path):
    selves = PastSelves(tmp_path, window=5)
    for steps, choice in ((0, 0), (100, 1), (200, 2)):
        selves.add(certain(policy, choice), steps)
    resumed = PastSelves(tmp_path, window=5)

    resumed.restore(policy, until=150)

    assert resumed.steps == [0, 100]
    assert first_choices(resumed) == {0, 1}
    assert not (tmp_path / "200.safetensors").exists()


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_damaged_copy_is_a_sentence(content, policy, tmp_path):
    (tmp_path / "100.safetensors").write_bytes(content)

    with pytest.raises(CheckpointError, match=r"The past self .*100.safetensors is damaged"):
        PastSelves(tmp_path, window=2).restore(policy, until=100)


def test_a_copy_of_another_architecture_is_a_sentence(policy, tmp_path):
    PastSelves(tmp_path, window=2).add(ActorCriticPolicy(OBSERVATIONS, ACTIONS, lambda _: 0.0, net_arch=[5]), 100)

    with pytest.raises(CheckpointError, match="is damaged"):
        PastSelves(tmp_path, window=2).restore(policy, until=100)


def test_every_copy_is_drawn(policy, tmp_path):
    selves = PastSelves(tmp_path, window=3)
    for steps, choice in ((0, 0), (100, 1), (200, 2)):
        selves.add(certain(policy, choice), steps)

    assert first_choices(selves) == {0, 1, 2}


def test_who_was_drawn_plays_on_when_it_is_no_longer_kept(policy, tmp_path):
    selves = PastSelves(tmp_path, window=1)
    selves.add(certain(policy, 1), 0)
    (drawn,) = selves.draw(1, np.random.default_rng(0))
    selves.add(certain(policy, 2), 100)

    assert drawn.predict(np.zeros(3, np.float32))[0][0] == 1
