"""Two teams in one arena, as a PettingZoo environment."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import ParallelEnv

from snowball_fight.frames import Frame, Frames
from snowball_fight.parallel.window import Window
from snowball_fight.spaces import Actions, action_space, checked_actions, observation_space
from snowball_fight.spec import ArenaSpec
from snowball_fight.whole_state import n_floats, whole_state

if TYPE_CHECKING:
    from snowball_fight.arenas import Arenas
    from snowball_fight.state import Outcome

Observation = NDArray[np.float32]
Step = tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]


class Teams(ParallelEnv[str, Observation, Actions]):  # type: ignore[misc]  # PettingZoo publishes no types
    """Both teams of an arena, every agent under its own name: `"team_0_agent_0"`.

    An agent that falls leaves `agents` with that step. An agent's reward holds its own hits and, if it stands when the
    game is decided or falls in that very step, its team's ending reward. That one also comes by itself, as
    `"team_reward"` in the infos of every member who is still there, so that a trainer can give it to those who fell
    before. The infos hold the agent's `"hits"` in this episode and the `"ticks"` played, too, and at the end whether
    its team `"won"`: `True`, `False`, or `None` for a draw or a time-out.

    After `reset(seed=s)` the episodes are the first, second and so on of seed `s`; without any seed one is drawn at
    random. Making an environment compiles nothing; the first reset does.

    Args:
        spec: The kind of game.
        name: PettingZoo's name of it.
        render_mode: `None`, `"rgb_array"`, or `"human"` for a window.
        max_cycles: Steps after which an episode is truncated, instead of the spec's own time limit. The winner's time
            penalty grows to its full size within them.

    Raises:
        ValueError: If there is no such render mode, or not at least one cycle.
    """

    def __init__(self, spec: ArenaSpec, name: str, render_mode: str | None, max_cycles: int | None) -> None:
        if max_cycles is not None:
            if max_cycles < 1:
                raise ValueError(f"An episode has at least one cycle, not {max_cycles}.")
            spec = replace(spec, max_ticks=max_cycles * spec.ticks_per_decision)
        self.metadata: dict[str, Any] = {
            "name": name,
            "render_modes": ["human", "rgb_array"],
            "render_fps": round(1 / spec.decision_seconds),
            "is_parallelizable": True,
        }
        self.spec = spec
        self.max_cycles = spec.max_decisions
        self.render_mode = render_mode
        self._frames = Frames(spec, render_mode, self.metadata["render_modes"])
        self._window: Window | None = None
        self.possible_agents = [f"team_{a // spec.team_size}_agent_{a % spec.team_size}" for a in range(spec.n_agents)]
        self.agents: list[str] = []
        self.observation_spaces = {agent: observation_space(spec) for agent in self.possible_agents}
        self.action_spaces = {agent: action_space() for agent in self.possible_agents}
        self.state_space = spaces.Box(-1, 1, (n_floats(spec),), np.float32)
        self._numbers = {agent: number for number, agent in enumerate(self.possible_agents)}
        self._arenas: Arenas | None = None
        self._actions = np.zeros((1, spec.n_agents, 4), np.int64)
        self._hits = np.zeros(spec.n_agents, np.int64)

    def observation_space(self, agent: str) -> spaces.Box:
        """What an agent sees, see `snowball_fight.layout`."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.MultiDiscrete[np.int64]:
        """What an agent does, see `snowball_fight.spaces.CHOICES`."""
        return self.action_spaces[agent]

    def reset(
        self,
        seed: int | None = None,
        options: dict[str, Any] | None = None,  # noqa: ARG002  # part of the interface
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """Begins an episode.

        Args:
            seed: 0 to 2**64 - 1. Without one the next episode of the last seed begins.
            options: Not used.

        Returns:
            Observations and infos of all agents.

        Raises:
            ValueError: If there is no such seed.
        """
        arenas = self._arenas
        if arenas is None:
            from gymnasium.vector import AutoresetMode

            from snowball_fight.arenas import Arenas  # late: loads the compiler

            arenas = Arenas(self.spec, autoreset=AutoresetMode.DISABLED)
            seed = secrets.randbits(63) if seed is None else seed
        observations = arenas.reset(None if seed is None else [seed])
        self._arenas = arenas
        self.agents = self.possible_agents[:]
        self._hits[:] = 0
        self._show()
        infos = {agent: {"team_reward": 0.0, "hits": 0, "ticks": 0} for agent in self.agents}
        return {agent: observations[0, number].copy() for agent, number in self._numbers.items()}, infos

    def step(self, actions: Mapping[str, Actions]) -> Step:
        """Plays one decision of everybody who stands.

        Args:
            actions: For each of `agents` integers `[4]`.

        Returns:
            Observations (all zeros for one who has just fallen), rewards, terminations, truncations and infos of those
            who stood before the step.

        Raises:
            TypeError: If an action is not of integers.
            ValueError: If one is missing or too many, or one's shape or range is wrong. Nothing has been played then.
            RuntimeError: If `reset` has to be called first.
        """
        if self._arenas is None or not self.agents:
            raise RuntimeError("There is no episode to play: call reset first.")
        if set(actions) != set(self.agents):
            raise ValueError(f"There have to be actions for {', '.join(self.agents)}, not for {', '.join(actions)}.")
        checked = {name: checked_actions(action, (4,), f"The action of {name}") for name, action in actions.items()}
        self._actions[:] = 0
        for name, action in checked.items():
            self._actions[0, self._numbers[name]] = action
        outcome = self._arenas.step(self._actions)
        self._hits += outcome.hits[0]
        numbers = {name: self._numbers[name] for name in self.agents}
        terminated = {name: outcome.terminated.item(0, number) for name, number in numbers.items()}
        truncated = {name: outcome.truncated.item(0, number) for name, number in numbers.items()}
        infos = {name: self._info(outcome, number) for name, number in numbers.items()}
        self.agents = [name for name in self.agents if not (terminated[name] or truncated[name])]
        self._show()
        return (
            {name: outcome.observations[0, number].copy() for name, number in numbers.items()},
            {name: outcome.rewards.item(0, number) for name, number in numbers.items()},
            terminated,
            truncated,
            infos,
        )

    def state(self) -> NDArray[np.float32]:
        """The whole arena, see `snowball_fight.whole_state`."""
        if self._arenas is None:
            raise RuntimeError("There is no state before the first reset: call reset first.")
        state: NDArray[np.float32] = whole_state(self.spec, self._arenas.state)[0]
        return state

    def render(self) -> Frame | None:
        """A picture, uint8 `[640, 640, 3]`, where `"rgb_array"` was asked for."""
        return self._frames.draw(self._arenas, 0, None) if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Closes the window, if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def _info(self, outcome: "Outcome", number: int) -> dict[str, Any]:
        """An agent's info after a step."""
        team = number // self.spec.team_size
        info: dict[str, Any] = {
            "team_reward": outcome.team_rewards.item(0, team),
            "hits": self._hits.item(number),
            "ticks": outcome.ticks.item(0),
        }
        if outcome.ended.item(0):
            winner = outcome.winner.item(0)
            info["won"] = None if winner < 0 else winner == team
        return info

    def _show(self) -> None:
        """Brings the window up to date."""
        if self.render_mode != "human":
            return
        if self._window is None:
            self._window = Window(lambda: self._frames.draw(self._arenas, 0, None), self.metadata["render_fps"])
        self._window.show()
