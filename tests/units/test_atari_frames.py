"""The pictures that the Atari wrapping makes, step by step."""

import dataclasses

import cv2
import numpy as np
import pytest

from rl_units.atari_frames import Decision, draw_decision, draw_stack, most_flicker, play_decisions
from rl_units.course import Protocol, load_course
from rl_units.environments import make_environment
from rl_units.errors import ConfigError

PROTOCOL = load_course().assignment_for("SpaceInvadersNoFrameskip-v4").protocol


@pytest.fixture(scope="module")
def decisions():
    return play_decisions(PROTOCOL, 120)


def blank(flickering: int) -> Decision:
    raw = np.zeros((4, 210, 160, 3), np.uint8)
    raw[3].reshape(-1, 3)[:flickering] = 255
    return Decision(raw, np.zeros((84, 84), np.uint8))


def test_every_decision_holds_four_frames_and_one_observation(decisions):
    assert len(decisions) == 120
    for decision in decisions:
        assert decision.raw.shape == (4, 210, 160, 3)
        assert decision.observation.shape == (84, 84)
        assert decision.raw.dtype == decision.observation.dtype == np.uint8


def test_the_observation_is_the_pooled_frame_in_grey_and_small(decisions):
    for decision in decisions:
        grey = cv2.cvtColor(decision.pooled, cv2.COLOR_RGB2GRAY)
        np.testing.assert_array_equal(cv2.resize(grey, (84, 84), interpolation=cv2.INTER_AREA), decision.observation)


def test_the_observations_are_those_of_the_agents_own_environment(decisions):
    env = make_environment(PROTOCOL)
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    for decision in decisions[:50]:
        observation, *_ = env.step(int(rng.integers(6)))
        np.testing.assert_array_equal(observation[-1], decision.observation)
    env.close()


def test_sprites_flicker_in_space_invaders(decisions):
    assert decisions[most_flicker(decisions)].flicker.any()


def test_a_change_of_the_whole_screen_is_no_flicker():
    assert most_flicker([blank(3), blank(5), blank(20_000)]) == 1


def test_the_same_seed_plays_the_same_game(decisions):
    for first, second in zip(decisions, play_decisions(PROTOCOL, 5), strict=False):
        np.testing.assert_array_equal(first.raw, second.raw)


def test_a_decision_is_drawn_as_six_pictures_with_circles_around_what_flickers(decisions):
    figure = draw_decision(decisions[most_flicker(decisions)])
    assert len(figure.axes) == 6
    assert figure.axes[3].patches


def test_a_stack_is_drawn_oldest_first_with_what_moved_last(decisions):
    figure = draw_stack(np.stack([decision.observation for decision in decisions[:4]]))
    assert [axis.get_title() for axis in figure.axes] == ["now - 3", "now - 2", "now - 1", "now", "what moved"]


@pytest.mark.parametrize(
    "protocol", [Protocol("cart", 1, "CartPole-v1"), dataclasses.replace(PROTOCOL, preprocessing="none")]
)
def test_an_environment_without_the_wrapping_is_refused(protocol):
    with pytest.raises(ConfigError, match="no frames to show"):
        play_decisions(protocol, 1)
