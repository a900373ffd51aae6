"""One arena as a Gymnasium environment."""

from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from snowball_fight.frames import Frame, Frames
from snowball_fight.gym_envs.opposition import Opponent
from snowball_fight.gym_envs.tasks import Fight, TargetPractice, Task
from snowball_fight.spaces import Actions, action_space, checked_actions, observation_space

if TYPE_CHECKING:
    from snowball_fight.arenas import Arenas

METADATA: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 10}
"""A step is 0.1 seconds of the game."""


class ArenaEnv(gym.Env[Any, Any]):
    """An arena that one learner plays in.

    Making one compiles nothing and loads no compiler; the first reset does.

    After `reset(seed=s)` the episodes are the first, second and so on of seed `s`; without any seed one is drawn at
    random. `info` counts over the episode, see `Task.counts`, and holds its `ticks`. Where there is somebody to beat,
    it says at the end whether the learner `won`: `True`, `False`, or `None` for a draw or a time-out.

    Args:
        task: What the learner is asked to do.
        render_mode: `None` or `"rgb_array"`.
        show_rays: Whether pictures show what the learner's rays meet.

    Raises:
        ValueError: If there is no such render mode.
    """

    metadata = METADATA

    def __init__(self, task: Task, render_mode: str | None, show_rays: bool) -> None:
        self._frames = Frames(task.spec, render_mode, METADATA["render_modes"])
        self.render_mode = render_mode
        self.show_rays = show_rays
        self.observation_space = observation_space(task.spec)
        self.action_space = action_space()
        self._task = task
        self._arenas: Arenas | None = None
        self._actions = np.zeros((1, task.spec.n_agents, 4), np.int64)
        self._ended = True
        self._totals: dict[str, int] = {}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begins an episode.

        Args:
            seed: 0 to 2**64 - 1. Without one the next episode of the last seed begins.
            options: What the task takes, for this episode and those after it: see `Fight.take`.

        Returns:
            The observation, float32 `[floats]`, and the info.

        Raises:
            TypeError: If an option is of the wrong kind.
            ValueError: If there is no such seed or option.
        """
        self._task.take(options or {})
        super().reset(seed=seed)
        arenas = self._arenas
        if arenas is None:
            from snowball_fight.arenas import Arenas  # late: loads the compiler

            arenas = Arenas(self._task.spec, autoreset=AutoresetMode.NEXT_STEP)  # and `step` refuses that step
            seed = int(self.np_random.integers(2**63)) if seed is None else seed
        observations = arenas.reset(None if seed is None else [seed])
        self._arenas = arenas
        self._ended = False
        self._totals = {count.name: 0 for count in self._task.counts}
        return observations[0, self._task.seat].copy(), {**self._totals, "ticks": 0}

    def step(self, action: Actions) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Plays one decision.

        Args:
            action: Integers `[4]`, see `snowball_fight.spaces.CHOICES`.

        Returns:
            The observation, reward, whether the episode was decided, whether its time is up, and the info.

        Raises:
            TypeError: If the action, or the opponent's, is not of integers.
            ValueError: If its shape or range is wrong. Nothing has been played then.
            RuntimeError: If `reset` has to be called first.
        """
        if self._ended or self._arenas is None:
            raise RuntimeError("There is no episode to play: call reset first.")
        task, seat = self._task, self._task.seat
        self._actions[0, seat] = checked_actions(action, (4,), "The action")
        task.choose_for_others(self._arenas, self._actions)
        outcome = self._arenas.step(self._actions)
        info: dict[str, Any] = {"ticks": outcome.ticks.item(0)}
        for name, field, agent in task.counts:
            self._totals[name] += getattr(outcome, field).item(0, agent)
        info.update(self._totals)
        self._ended = outcome.ended.item(0)
        if self._ended and task.spec.n_teams > 1:
            winner = outcome.winner.item(0)
            info["won"] = None if winner < 0 else winner == seat
        return (
            outcome.observations[0, seat].copy(),
            outcome.rewards.item(0, seat),
            outcome.terminated.item(0, seat),
            outcome.truncated.item(0, seat),
            info,
        )

    def render(self) -> Frame | None:
        """A picture, uint8 `[640, 640, 3]`, or `None` without a render mode."""
        if self.render_mode is None:
            return None
        return self._frames.draw(self._arenas, 0, self._task.seat if self.show_rays else None)


class SnowballFight(ArenaEnv):
    """`SnowballFight-v0`: one against one, for a learner in one of the two seats.

    Args:
        opponent: A scripted player's name; several, of which one is drawn for every episode; or a function from
            observations, float32 `[n, floats]`, to actions, integers `[n, 4]`; here `n` is 1.
        seat: 0 or 1, the home that the learner lives in. The two are mirror images.
        render_mode: `None` or `"rgb_array"`.
        show_rays: Whether pictures show what the learner's rays meet.

    Raises:
        TypeError: If the opponent is neither a name, nor several, nor a function.
        ValueError: If there is no such opponent, seat or render mode.
    """

    def __init__(
        self,
        opponent: Opponent = "aim_and_shoot",
        seat: int = 0,
        render_mode: str | None = None,
        show_rays: bool = False,
    ) -> None:
        super().__init__(Fight(opponent, seat), render_mode, show_rays)


class SnowballTarget(ArenaEnv):
    """`SnowballTarget-v0`: targets to hit before the time is up.

    Args:
        render_mode: `None` or `"rgb_array"`.
        show_rays: Whether pictures show what the learner's rays meet.

    Raises:
        ValueError: If there is no such render mode.
    """

    def __init__(self, render_mode: str | None = None, show_rays: bool = False) -> None:
        super().__init__(TargetPractice(), render_mode, show_rays)
