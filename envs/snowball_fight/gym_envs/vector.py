"""Many arenas as one of Gymnasium's vector environments, without Python for each arena."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from snowball_fight.frames import Frame, Frames
from snowball_fight.gym_envs.infos import counted, finished, masked
from snowball_fight.gym_envs.opposition import Opponent
from snowball_fight.gym_envs.single import METADATA
from snowball_fight.gym_envs.tasks import Fight, TargetPractice, Task
from snowball_fight.spaces import Actions, Observations, action_space, checked_actions, observation_space

if TYPE_CHECKING:
    from snowball_fight.arenas import Arenas

Flags = NDArray[np.bool_]

_WON = np.array([None, False, True], np.object_)


class ArenaVectorEnv(VectorEnv[Observations, Actions, NDArray[Any]]):
    """Arenas, each with a learner of its own; gives what a `SyncVectorEnv` of `ArenaEnv`s would.

    Args:
        task: What the learners are asked to do.
        num_envs: How many arenas.
        render_mode: `None` or `"rgb_array"`.
        show_rays: Whether pictures show what the learners' rays meet.
        threads: Threads that share the arenas; more than one pays from some hundred arenas on.
        autoreset_mode: When an arena begins its next episode, in Gymnasium's terms.

    Raises:
        ValueError: If there is no such render mode or autoreset mode, or not at least one arena and one thread.
    """

    def __init__(
        self,
        task: Task,
        num_envs: int,
        render_mode: str | None,
        show_rays: bool,
        threads: int,
        autoreset_mode: AutoresetMode | str,
    ) -> None:
        if num_envs < 1 or threads < 1:
            raise ValueError(f"There has to be at least one environment and one thread, not {num_envs} and {threads}.")
        self._mode = AutoresetMode(autoreset_mode)
        self.metadata = {**METADATA, "autoreset_mode": self._mode}
        self._frames = Frames(task.spec, render_mode, METADATA["render_modes"])
        self.render_mode = render_mode
        self.show_rays = show_rays
        self.num_envs = num_envs
        self.single_observation_space = observation_space(task.spec)
        self.single_action_space = action_space()
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._task = task
        self._threads = threads
        self._arenas: Arenas | None = None
        self._actions = np.zeros((num_envs, task.spec.n_agents, 4), np.int64)
        self._ended = np.zeros(num_envs, np.bool_)
        self._totals: dict[str, NDArray[np.int64]] = {}

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observations, dict[str, Any]]:
        """Begins episodes.

        Args:
            seed: One for each arena, or one number from which they count up. An arena without a seed goes on to the
                next episode of the one that it has.
            options: What the task takes, see `Fight.take`; and `reset_mask`, bool `[num_envs]`: the arenas that begin
                an episode. All arenas have the same opponent and seat, so those do not go with a mask.

        Returns:
            The observations of all arenas, float32 `[num_envs, floats]`, and the infos.

        Raises:
            TypeError: If an option is of the wrong kind.
            ValueError: If there is no such seed or option, or a mask has the wrong shape or names no arena.
        """
        chosen, others = self._mask_in(options or {})
        self._task.take(others)
        super().reset(seed=seed if isinstance(seed, int) else None)
        arenas = self._begin(self._seeds(seed), chosen)
        self._ended[chosen] = False
        for count in self._task.counts:
            self._totals.setdefault(count.name, np.zeros(self.num_envs, np.int64))[chosen] = 0
        return self._seen(arenas.outcome.observations), counted({"ticks": arenas.state.tick, **self._totals}, chosen)

    def step(self, actions: Actions) -> tuple[Observations, NDArray[np.float64], Flags, Flags, dict[str, Any]]:
        """Plays one decision in every arena.

        Args:
            actions: Integers `[num_envs, 4]`, see `snowball_fight.spaces.CHOICES`.

        Returns:
            Observations, rewards, terminations, truncations and infos, the arena always the first axis.

        Raises:
            TypeError: If the actions, or the opponent's, are not integers.
            ValueError: If their shape or range is wrong. Nothing has been played then.
            RuntimeError: If `reset` has to be called first.
        """
        if self._arenas is None:
            raise RuntimeError("There is no episode to play: call reset first.")
        seat = self._task.seat
        self._actions[:, seat] = checked_actions(actions, (self.num_envs, 4), "The array of actions")
        self._task.choose_for_others(self._arenas, self._actions)
        outcome = self._arenas.step(self._actions)
        for name, field, agent in self._task.counts:
            self._totals[name][self._ended] = 0
            self._totals[name] += getattr(outcome, field)[:, agent]
        self._ended = outcome.ended.copy()
        infos = counted({"ticks": outcome.ticks, **self._totals}, np.ones(self.num_envs, np.bool_))
        if self._ended.any():
            if self._task.spec.n_teams > 1:
                infos |= masked("won", _WON[(outcome.winner >= 0) * (1 + (outcome.winner == seat))], self._ended)
            if self._mode is AutoresetMode.SAME_STEP:
                infos = finished(infos, self._seen(outcome.final_observations), self._ended)
        return (
            self._seen(outcome.observations),
            outcome.rewards[:, seat].astype(np.float64),
            outcome.terminated[:, seat].copy(),
            outcome.truncated[:, seat].copy(),
            infos,
        )

    def render(self) -> tuple[Frame, ...] | None:
        """A picture of every arena, uint8 `[640, 640, 3]`, or `None` without a render mode."""
        if self.render_mode is None:
            return None
        rays_of = self._task.seat if self.show_rays else None
        return tuple(self._frames.draw(self._arenas, arena, rays_of) for arena in range(self.num_envs))

    def close_extras(self, **_: Any) -> None:
        """Lets go of the arenas and their threads."""
        self._arenas = None

    def _mask_in(self, options: dict[str, Any]) -> tuple[Flags, dict[str, Any]]:
        """The arenas that a reset begins, and its other options."""
        others = {name: value for name, value in options.items() if name != "reset_mask"}
        if "reset_mask" not in options:
            return np.ones(self.num_envs, np.bool_), others
        mask = options["reset_mask"]
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            raise TypeError("A reset_mask is a numpy array of booleans.")
        if mask.shape != (self.num_envs,) or not mask.any():
            raise ValueError(f"A reset_mask has the shape ({self.num_envs},) and names at least one environment.")
        if not mask.all() and (others or self._arenas is None):
            reason = "The first reset" if self._arenas is None else "One that changes the opponent or the seat"
            raise ValueError(f"{reason} has to begin an episode in every environment: leave reset_mask out.")
        return mask, others

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        """A seed for each arena; `None` for one that keeps its own."""
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, int | np.integer):
            return [int(seed) + arena for arena in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ValueError(
                f"There are {len(seed)} seeds for {self.num_envs} environments: give one each, or one number."
            )
        return list(seed)

    def _begin(self, seeds: list[int | None], chosen: Flags) -> "Arenas":
        """Begins episodes in the chosen arenas, under the seeds where there are any, and gives the arenas back."""
        arenas = self._arenas
        if arenas is None:
            from snowball_fight.arenas import Arenas  # late: loads the compiler

            arenas = Arenas(self._task.spec, self.num_envs, threads=self._threads, autoreset=self._mode)
            drawn = self.np_random.integers(2**63, size=self.num_envs).tolist()
            seeds = [mine if seed is None else seed for seed, mine in zip(seeds, drawn, strict=True)]
        seeded = np.array([seed is not None for seed in seeds], np.bool_)
        if (chosen & seeded).any():
            arenas.reset([seed or 0 for seed in seeds], where=chosen & seeded)
        if (chosen & ~seeded).any():
            arenas.reset(where=chosen & ~seeded)
        self._arenas = arenas
        return arenas

    def _seen(self, observations: NDArray[np.float32]) -> Observations:
        """The learners' rows of the observations of all agents, as an array of their own."""
        return observations[:, self._task.seat].copy()


class SnowballFightVector(ArenaVectorEnv):
    """`SnowballFight-v0`, many at once: `gymnasium.make_vec("SnowballFight-v0", num_envs=1024)`.

    Args:
        num_envs: How many arenas.
        opponent: A scripted player's name; several, of which one is drawn for every episode; or a function from
            observations, float32 `[num_envs, floats]`, to actions, integers `[num_envs, 4]`.
        seat: 0 or 1, the home that the learners live in. The two are mirror images.
        render_mode: `None` or `"rgb_array"`.
        show_rays: Whether pictures show what the learners' rays meet.
        threads: Threads that share the arenas.
        autoreset_mode: When an arena begins its next episode, in Gymnasium's terms.

    Raises:
        TypeError: If the opponent is neither a name, nor several, nor a function.
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        num_envs: int = 1,
        opponent: Opponent = "aim_and_shoot",
        seat: int = 0,
        render_mode: str | None = None,
        show_rays: bool = False,
        threads: int = 1,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    ) -> None:
        super().__init__(Fight(opponent, seat), num_envs, render_mode, show_rays, threads, autoreset_mode)


class SnowballTargetVector(ArenaVectorEnv):
    """`SnowballTarget-v0`, many at once: `gymnasium.make_vec("SnowballTarget-v0", num_envs=1024)`.

    Args:
        num_envs: How many arenas.
        render_mode: `None` or `"rgb_array"`.
        show_rays: Whether pictures show what the learners' rays meet.
        threads: Threads that share the arenas.
        autoreset_mode: When an arena begins its next episode, in Gymnasium's terms.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        num_envs: int = 1,
        render_mode: str | None = None,
        show_rays: bool = False,
        threads: int = 1,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    ) -> None:
        super().__init__(TargetPractice(), num_envs, render_mode, show_rays, threads, autoreset_mode)
