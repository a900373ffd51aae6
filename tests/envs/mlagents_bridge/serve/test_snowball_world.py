"""Snowball Fight as a trainer sees it: rows, ids, groups and ends, checked against the native arenas."""

import re
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from mlagents_bridge.behaviors import Actions
from mlagents_bridge.errors import BridgeError
from mlagents_bridge.serve.snowball import SnowballWorld
from mlagents_bridge.side_channels import Parameter, Sampler, read_statistic
from snowball_fight import ONE_VS_ONE, TARGET_PRACTICE, TWO_VS_TWO, Arenas
from snowball_fight.layout import SLICES, n_floats

N_ARENAS = 5
QUICK_1V1 = replace(ONE_VS_ONE, hits_to_fall=1, max_ticks=300)
QUICK_2V2 = replace(TWO_VS_TWO, hits_to_fall=1, max_ticks=600)
SPECS = {"1vs1": QUICK_1V1, "2vs2": QUICK_2V2, "targets": replace(TARGET_PRACTICE, max_ticks=200)}


def random_actions(spec, steps):
    """Agents that throw all the time, int64 `[steps, arenas, agents, 4]`."""
    chosen = np.random.default_rng(0).integers(0, [3, 3, 3, 2], (steps, N_ARENAS, spec.n_agents, 4))
    chosen[..., 3] = 1
    return chosen


def asked(rows):
    """Ids of those who have to act."""
    return rows.ids[~rows.done]


def world_of(spec, **options):
    return SnowballWorld("Snow", spec, N_ARENAS, seed=3, **options)


@pytest.mark.parametrize("name", list(SPECS))
def test_a_trainer_sees_what_the_native_arenas_play(name):
    spec, size = SPECS[name], SPECS[name].team_size
    world, arenas = world_of(spec), Arenas(spec, N_ARENAS)
    observations = arenas.reset(3 * N_ARENAS).copy()
    rows = world.reset()
    standing = np.ones((N_ARENAS, spec.n_agents), bool)
    n_ends = 0
    for actions in random_actions(spec, 300):
        sent = {}
        for team, behavior in enumerate(world.behaviors):
            columns = slice(team * size, (team + 1) * size)
            seen = rows[behavior.name]
            places = np.argwhere(standing[:, columns])
            expected = observations[places[:, 0], team * size + places[:, 1]]
            ongoing = np.concatenate([part[~seen.done] for part in seen.observations], axis=1)
            assert np.array_equal(ongoing, expected)
            chosen = actions[places[:, 0], team * size + places[:, 1]]
            sent[behavior.name] = Actions(np.zeros((len(chosen), 0), np.float32), chosen.astype(np.int32))
        outcome = arenas.step(actions)
        rows = world.step(sent)
        finished = outcome.terminated | outcome.truncated
        n_ends += int(outcome.ended.sum())
        last = np.where(outcome.ended[:, None, None], outcome.final_observations, outcome.observations)
        for team, behavior in enumerate(world.behaviors):
            places = np.argwhere(finished[:, team * size : (team + 1) * size])
            at = (places[:, 0], team * size + places[:, 1])
            ends = rows[behavior.name]
            assert ends.done.sum() == len(places)
            assert np.array_equal(np.concatenate([part[ends.done] for part in ends.observations], axis=1), last[at])
            assert np.array_equal(ends.interrupted[ends.done], outcome.truncated[at])
            team_rewards = outcome.team_rewards[places[:, 0], team] if size > 1 else np.zeros(len(places), np.float32)
            assert np.array_equal(ends.group_rewards[ends.done], team_rewards)
            assert np.array_equal(ends.rewards[ends.done], outcome.rewards[at] - team_rewards)
        standing = np.where(outcome.ended[:, None], True, outcome.standing)
        observations = outcome.observations.copy()
    assert n_ends > N_ARENAS


def played(spec, steps=300):
    """All rows of a behaviour's game, step by step."""
    world = world_of(spec)
    rows = world.reset()
    yield world, rows
    for actions in random_actions(spec, steps):
        sent = {}
        for team, (name, seen) in enumerate(rows.items()):
            chosen = actions[:, team].reshape(-1, 4)[np.arange(len(asked(seen))) % N_ARENAS]
            sent[name] = Actions(np.zeros((len(chosen), 0), np.float32), chosen.astype(np.int32))
        rows = world.step(sent)
        yield world, rows


@pytest.mark.parametrize("name", list(SPECS))
def test_an_id_is_used_for_one_episode(name):
    alive, used = set(), set()
    for _, rows in played(SPECS[name]):
        done = {number for seen in rows.values() for number in seen.ids[seen.done].tolist()}
        ongoing = [number for seen in rows.values() for number in asked(seen).tolist()]
        assert len(ongoing) == len(set(ongoing))
        assert done <= alive
        new = set(ongoing) - alive
        assert not new & used
        assert alive - done == set(ongoing) - new
        alive = set(ongoing)
        used |= new
    assert len(used) > len(alive)


def test_the_sign_of_the_last_reward_tells_who_has_won():
    decided = 0
    for _, rows in played(QUICK_1V1, 600):
        first, second = rows.values()
        for seen in (first, second):
            assert (seen.rewards[seen.interrupted] >= 0).all()
        ends = first.done & ~first.interrupted
        for won, lost in zip(first.rewards[ends], second.rewards[second.done & ~second.interrupted], strict=True):
            decided += 1
            assert won * lost < 0 or won == lost  # equal: both fell at once
    assert decided > 5


def test_members_who_fall_leave_before_their_group():
    early = 0
    for world, rows in played(QUICK_2V2, 600):
        for seen in rows.values():
            assert (seen.group_ids > 0).all()
            # A group that begins anew in the same step has as many rows as members; one that plays on has fewer.
            n_going_on = (seen.group_ids[:, None] == asked_groups(seen)).sum(axis=1)
            fallen = seen.done & (n_going_on == 1)
            early += int(fallen.sum())
            assert (observations_of(seen)[fallen] == 0).all()
            assert (seen.group_rewards[fallen] == 0).all()
            assert not seen.interrupted[fallen].any()
        first, second = (set(seen.group_ids.tolist()) for seen in rows.values())
        assert not first & second
        assert len(world.behaviors) == 2
    assert early > 5


def asked_groups(rows):
    return rows.group_ids[~rows.done]


def observations_of(rows):
    return np.concatenate(rows.observations, axis=1)


def test_sensors_are_the_layouts_slices_in_order():
    one, two = world_of(ONE_VS_ONE).behaviors[0], world_of(TWO_VS_TWO).behaviors[0]
    assert [sensor.name for sensor in one.sensors] == list(SLICES)
    assert [sensor.name for sensor in two.sensors] == [*SLICES, "teammates"]
    for behavior, spec in ((one, ONE_VS_ONE), (two, TWO_VS_TWO)):
        assert sum(sensor.shape[0] for sensor in behavior.sensors) == n_floats(spec)


def test_a_reset_begins_new_episodes_without_ending_the_old():
    world = world_of(ONE_VS_ONE)
    first, second = deepcopy(world.reset()), world.reset()
    for name in first:
        assert not second[name].done.any()
        assert not set(first[name].ids) & set(second[name].ids)
        assert not np.array_equal(first[name].observations[1], second[name].observations[1])


def test_actions_for_other_numbers_of_agents_are_refused():
    world = world_of(ONE_VS_ONE)
    world.reset()
    with pytest.raises(BridgeError, match=f"sent 2 actions for Snow.team=0, and {N_ARENAS} of its agents"):
        world.step({"Snow?team=0": Actions(np.zeros((2, 0), np.float32), np.zeros((2, 4), np.int32))})


def test_statistics_come_once_for_the_games_that_ended():
    heard = [world.statistics() for world, _ in played(QUICK_1V1)]
    ended = [messages for messages in heard if messages]
    assert 0 < len(ended) < len(heard)
    for messages in ended:
        values = {name: value for name, value, _ in (read_statistic(message.content) for message in messages)}
        assert list(values) == ["Game/Decisions", "Game/Time-outs", "Game/Hits"]
        assert 0 < values["Game/Decisions"] <= 60
        assert values["Game/Hits"] > 0 or values["Game/Time-outs"] == 1


def test_a_parameter_counts_from_the_next_episode_on():
    world = world_of(replace(ONE_VS_ONE, max_ticks=50))
    world.reset()
    world.take([Parameter("max_ticks", (100.0,))])
    lengths = [bool(world.step({})["Snow?team=0"].done.any()) for _ in range(30)]
    assert np.flatnonzero(lengths).tolist() == [9, 29]


def test_a_sampler_is_drawn_for_every_episode_of_every_arena():
    def lengths(seed):
        world = world_of(ONE_VS_ONE)
        world.take([Parameter("max_ticks", (10.0, 100.0), Sampler.UNIFORM, seed)])
        world.reset()
        done = [world.step({})["Snow?team=0"] for _ in range(60)]
        return [rows.ids[rows.done].tolist() for rows in done]

    drawn = lengths(1)
    assert sum(1 for ids in drawn if ids) > N_ARENAS  # arenas end at times of their own, again and again
    assert drawn == lengths(1)
    assert drawn != lengths(2)


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        (Parameter("snow_depth", (1.0,)), "'snow_depth' is left out: this game knows half_width, .*max_ticks"),
        (Parameter("hits_to_fall", (0.0,)), "goes from 1 to 100, and 0 lies outside"),
        (Parameter("agent_speed", (1.0, float("nan")), Sampler.UNIFORM), "not all of its numbers are finite"),
        (Parameter("flight_seconds", (3.0,)), "flight_seconds = 3 make no fair game.*shorter than the cool-down"),
        (Parameter("agent_speed", (3.0, 2.0), Sampler.UNIFORM), "lowest value 3 is above"),
        (Parameter("agent_speed", (3.0, -2.0), Sampler.GAUSSIAN), "deviation is -2, below 0"),
    ],
    ids=["unknown", "range", "nan", "unfair", "order", "deviation"],
)
def test_a_parameter_that_makes_no_game_is_told_once_and_left_out(parameter, told, caplog):
    world, plain = world_of(ONE_VS_ONE), world_of(ONE_VS_ONE)
    for _ in range(2):
        world.take([parameter])
        world.reset()
        plain.reset()
    assert len(caplog.records) == 1
    assert re.search(told, caplog.text)
    for _ in range(20):
        rows, others = world.step({}), plain.step({})
        assert np.array_equal(observations_of(rows["Snow?team=0"]), observations_of(others["Snow?team=0"]))


def test_two_parameters_that_fit_only_together_are_taken_together(caplog):
    world = world_of(ONE_VS_ONE)
    world.take([Parameter("flight_seconds", (3.0,)), Parameter("cooldown_seconds", (4.0,))])
    world.reset()
    assert not caplog.records


@pytest.mark.parametrize(
    ("parameter", "lowest", "highest"),
    [
        (Parameter("max_ticks", (20.0, 5.0), Sampler.GAUSSIAN), 10, 60),
        (Parameter("max_ticks", (10.0, 15.0, 80.0, 85.0), Sampler.MULTIRANGE_UNIFORM), 10, 85),
    ],
    ids=["gaussian", "ranges"],
)
def test_every_kind_of_sampler_is_drawn_within_its_bounds(parameter, lowest, highest):
    world = world_of(ONE_VS_ONE)
    world.take([parameter])
    world.reset()
    drawn = set()
    for _ in range(40):
        world.reset()
        drawn |= set(world._arenas.rules["max_ticks"].tolist())
    assert lowest <= min(drawn) < max(drawn) <= highest
    assert not any(15 < ticks < 80 for ticks in drawn) or parameter.sampler is Sampler.GAUSSIAN
