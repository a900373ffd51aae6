"""What the Zoo's hyperparameters for Atari become when `FastDQN` trains."""

from typing import Any

N_ENVS = 8
"""Environments side by side; the Zoo has one. Acting on eight observations takes hardly longer than on one."""

_THEIRS = "stable_baselines3.common.atari_wrappers.AtariWrapper"
_OURS = "rl_units.dqn.preprocessing.AtariPreprocessing"


def with_our_preprocessing(wrappers: Any) -> Any:
    """The Zoo's `env_wrapper` with our Atari preprocessing instead of SB3's, which does the same more slowly.

    SB3's stays where it shall repeat actions at random, which ours cannot.

    Args:
        wrappers: A wrapper's name, a dictionary of its name and arguments, or a list of these.
    """
    if isinstance(wrappers, list):
        return [with_our_preprocessing(wrapper) for wrapper in wrappers]
    if isinstance(wrappers, dict):
        return {
            name if (arguments or {}).get("action_repeat_probability") else with_our_preprocessing(name): arguments
            for name, arguments in wrappers.items()
        }
    return _OURS if wrappers == _THEIRS else wrappers
