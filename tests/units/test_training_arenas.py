"""Fights for training that are stepped as one, in the place of separate environments."""

import numpy as np
import pytest

from rl_units.training.arenas import make_arenas

GAME = "SnowballFight-v0"


def test_fights_are_made_with_the_opponents_that_were_asked_for():
    env = make_arenas(GAME, 6, seed=0, arguments={"opponent": ["still", "random"]}, run_folder=None)
    env.reset()
    before = env.arenas.state.heading.copy()
    for _ in range(20):
        env.step(np.zeros((6, 4), np.int64))
    turned = (env.arenas.state.heading != before).any(axis=1)

    assert env.num_envs == 6
    assert 0 < turned.sum() < 6


def test_ended_episodes_are_logged_for_the_curve(tmp_path):
    env = make_arenas(GAME, 2, seed=0, arguments={"opponent": "still"}, run_folder=tmp_path)
    env.reset()
    for _ in range(600):
        env.step(np.zeros((2, 4), np.int64))
    env.close()

    assert (tmp_path / "0.monitor.csv").read_text().splitlines()[1:2] == ["r,l,t"]
    assert [row.split(",")[1] for row in (tmp_path / "0.monitor.csv").read_text().splitlines()[2:]] == ["600", "600"]


@pytest.mark.parametrize(
    ("env_id", "arguments"),
    [("CartPole-v1", {}), ("SnowballTarget-v0", {}), (GAME, {"render_mode": "rgb_array"}), (GAME, {"seat": 1})],
)
def test_what_only_separate_environments_can_do_is_left_to_them(env_id, arguments):
    assert make_arenas(env_id, 2, seed=0, arguments=arguments, run_folder=None) is None
