"""Many snowball fights at once: the engine under every other face of the game."""

import copy
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import ArrayLike, NDArray

from snowball_fight.kernel import drivers
from snowball_fight.kernel.constants import rules_of
from snowball_fight.kernel.rays import empty_sights
from snowball_fight.layout import n_floats
from snowball_fight.spec import ONE_VS_ONE, ArenaSpec
from snowball_fight.state import Games, Outcome, empty_games, outcome_of, state_of

_AUTORESET: Final = {
    AutoresetMode.DISABLED: drivers.DISABLED,
    AutoresetMode.NEXT_STEP: drivers.NEXT_STEP,
    AutoresetMode.SAME_STEP: drivers.SAME_STEP,
}


class Arenas:
    """Plays `n_arenas` games of the same kind side by side.

    A game depends on its seed and its actions alone: not on how many arenas there are, on threads, or on the machine.

    `reset` and `step` give out arrays that the next call overwrites; copy what has to last.

    Args:
        spec: The kind of game.
        n_arenas: How many games.
        threads: Threads that share them; more than one pays from some hundred arenas on.
        autoreset: What follows an episode's end, in Gymnasium's terms. `SAME_STEP`: the next episode begins within the
            step, and `final_observations` holds the last observations. `NEXT_STEP`: the next `step` ignores that
            arena's actions and begins an episode. `DISABLED`: `reset` has to be called.

    Raises:
        ValueError: If there is not at least one arena and one thread.
    """

    def __init__(
        self,
        spec: ArenaSpec = ONE_VS_ONE,
        n_arenas: int = 1,
        *,
        threads: int = 1,
        autoreset: AutoresetMode = AutoresetMode.SAME_STEP,
    ) -> None:
        if n_arenas < 1 or threads < 1:
            raise ValueError(f"There has to be at least one arena and one thread, not {n_arenas} and {threads}.")
        self.spec = spec
        self.n_arenas = n_arenas
        self.threads = min(threads, n_arenas)
        self.autoreset = autoreset
        keeps_final = autoreset is AutoresetMode.SAME_STEP
        shape = (spec.n_agents, n_floats(spec))
        self.rules = rules_of(spec)
        self._observations = np.zeros((n_arenas, *shape), np.float32)
        self._final_observations = np.zeros((n_arenas if keeps_final else 0, *shape), np.float32)
        self._sights = empty_sights(spec, self.threads)
        self._hold(empty_games(spec, n_arenas))
        self._mode = _AUTORESET[autoreset]
        self._started = False
        self._pool: ThreadPoolExecutor | None = None
        self._pool_process = os.getpid()
        bounds = np.linspace(0, n_arenas, self.threads + 1).astype(int).tolist()
        self._shares = [(thread, bounds[thread], bounds[thread + 1]) for thread in range(self.threads)]

    def reset(
        self, seeds: int | Sequence[int] | NDArray[Any] | None = None, where: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """Begins episodes.

        Args:
            seeds: A seed for each arena, 0 to 2**64 - 1; or one number, from which the arenas count up. With `None`
                each arena goes on to the next episode of the seed that it has (0, 1, 2 and so on at the very first).
            where: bool `[n_arenas]`, the arenas that begin an episode; all by default.

        Returns:
            float32 `[n_arenas, n_agents, floats]`: the observations of all arenas.

        Raises:
            ValueError: If seeds or `where` have another shape or range.
        """
        chosen = self._places(where)
        if not self._started and not chosen.all():
            raise ValueError("The first reset has to begin an episode in every arena: leave `where` out.")
        if seeds is None and self._started:
            self.state.episode[chosen] += np.uint64(1)
        else:
            self.state.seed[chosen] = self._seeds(0 if seeds is None else seeds)[chosen]
            self.state.episode[chosen] = 0
        self._started = True
        return self._begin(chosen)

    def step(self, actions: NDArray[np.integer[Any]]) -> Outcome:
        """Plays one decision, which is `ticks_per_decision` physics ticks, in every arena.

        Args:
            actions: Integers `[n_arenas, n_agents, 4]`: forward or back (0 to 2), right or left (0 to 2), clockwise or
                counter-clockwise (0 to 2), throw (0 or 1); 0 does nothing. Those of fallen agents are ignored.

        Returns:
            The observations, rewards and ends, see `Outcome`.

        Raises:
            TypeError: If the actions are not integers.
            ValueError: If their shape or range is wrong. Nothing has been played then.
            RuntimeError: If `reset` has to be called first.
        """
        checked = self._checked(actions)
        if self._mode == drivers.DISABLED and self.state.over.any():
            arena = int(self.state.over.argmax())
            raise RuntimeError(f"The episode of arena {arena} has ended: call reset before the next step.")
        whole = (
            self.games,
            self.rules,
            checked,
            self._mode,
            self._observations,
            self._final_observations,
            self._sights,
        )
        if self.threads == 1:
            drivers.step(*whole, 0, 0, self.n_arenas)
        else:
            self._share(lambda thread, start, stop: drivers.step(*whole, thread, start, stop))
        return self.outcome

    def set_rules(self, specs: ArenaSpec | Sequence[ArenaSpec], where: ArrayLike | None = None) -> None:
        """Gives arenas other constants. That is for the time between two episodes: call `reset` for them next.

        `spec` stays what it was, so pictures and whole states go on to show what the arenas began with.

        Args:
            specs: One for all of these arenas, or one for each, in order.
            where: bool `[n_arenas]`, the arenas; all by default.

        Raises:
            ValueError: If there are not as many specs as arenas, `where` has another shape, or a spec has other numbers
                of teams, agents or targets, or more shelters than there is room for. Nothing has changed then.
        """
        chosen = self._places(where)
        listed = [specs] if isinstance(specs, ArenaSpec) else list(specs)
        if not isinstance(specs, ArenaSpec) and len(listed) != np.count_nonzero(chosen):
            raise ValueError(f"There are {len(listed)} specs for {np.count_nonzero(chosen)} arenas.")
        records = [rules_of(spec) for spec in listed]
        for spec, record in zip(listed, records, strict=True):
            if _people(spec) != _people(self.spec) or record.dtype != self.rules.dtype:
                raise ValueError(
                    "Arenas can be given other constants, but not other numbers of teams, agents or targets, nor more "
                    "shelters than there is room for: make new arenas for those."
                )
        if not records:
            return
        if len(records) == 1 and chosen.all():
            self.rules = records[0]
            return
        if len(self.rules) < self.n_arenas:
            self.rules = np.repeat(self.rules, self.n_arenas)
        self.rules[chosen] = np.concatenate(records)

    def observe(self) -> NDArray[np.float32]:
        """Observations of the state as it is, for who has changed it. float32 `[n_arenas, n_agents, floats]`."""
        return self._begin(np.zeros(self.n_arenas, np.bool_))

    def copy(self) -> "Arenas":
        """Independent arenas in the same state, which go on exactly as these would."""
        return copy.deepcopy(self)

    def _hold(self, games: Games) -> None:
        """Takes games, and the arrays that show them."""
        self.games = games
        self.state = state_of(self.spec, games)
        self.outcome = outcome_of(games, self._observations, self._final_observations)

    def _begin(self, where: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Begins episodes in some arenas and observes all."""
        whole = (self.games, self.rules, where, self._observations, self._sights)
        self._share(lambda thread, start, stop: drivers.begin(*whole, thread, start, stop))
        return self._observations

    def _places(self, where: ArrayLike | None) -> NDArray[np.bool_]:
        """Which arenas are meant."""
        chosen = np.ones(self.n_arenas, np.bool_) if where is None else np.asarray(where)
        if chosen.shape != (self.n_arenas,) or chosen.dtype != np.bool_:
            raise ValueError(f"`where` has to be {self.n_arenas} booleans, one for each arena.")
        return chosen

    def _seeds(self, seeds: int | Sequence[int] | NDArray[Any]) -> NDArray[np.uint64]:
        """One seed an arena."""
        numbers = [int(seeds) + arena for arena in range(self.n_arenas)] if np.ndim(seeds) == 0 else list(seeds)  # type: ignore[arg-type]  # ndim told them apart
        if len(numbers) != self.n_arenas:
            raise ValueError(
                f"There are {len(numbers)} seeds for {self.n_arenas} arenas: give one each, or one number."
            )
        if any(not 0 <= number < 2**64 for number in numbers):
            raise ValueError("A seed is a whole number from 0 to 2**64 - 1.")
        return np.array(numbers, np.uint64)

    def _checked(self, actions: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """The actions as the kernel takes them."""
        if not self._started:
            raise RuntimeError("No episode has begun: call reset before the first step.")
        if not isinstance(actions, np.ndarray) or actions.dtype.kind not in "iu":
            kind = actions.dtype if isinstance(actions, np.ndarray) else type(actions).__name__
            raise TypeError(f"Actions are an array of integers, not {kind}.")
        shape = (self.n_arenas, self.spec.n_agents, 4)
        if actions.shape != shape:
            raise ValueError(f"Actions have the shape [arenas, agents, 4] = {shape}, not {actions.shape}.")
        whole_numbers = np.ascontiguousarray(actions, np.int64)
        row = drivers.first_bad_action(whole_numbers)
        if row >= 0:
            arena, agent = divmod(row, self.spec.n_agents)
            raise ValueError(
                f"The action {actions[arena, agent].tolist()} of agent {agent} in arena {arena} is out of range: the "
                "four numbers go from 0 to 2, 2, 2 and 1. No arena has been stepped."
            )
        return whole_numbers

    def _share(self, work: Callable[[int, int, int], int]) -> None:
        """Does the work on every range of arenas, the first of them in this thread."""
        rest = []
        if self.threads > 1:
            rest = [self._helpers().submit(work, *share) for share in self._shares[1:]]
        work(*self._shares[0])
        for future in rest:
            future.result()

    def _helpers(self) -> ThreadPoolExecutor:
        """The other threads. A forked process inherits the pool without its threads, so it makes its own."""
        if self._pool is None or self._pool_process != os.getpid():
            self._pool = ThreadPoolExecutor(self.threads - 1, thread_name_prefix="snowball")
            self._pool_process = os.getpid()
        return self._pool

    def __getstate__(self) -> dict[str, Any]:
        shown = {"state", "outcome", "_pool"}
        return {name: value for name, value in self.__dict__.items() if name not in shown}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        self.__dict__.update(kept)
        self._pool = None
        self._hold(self.games)


def _people(spec: ArenaSpec) -> tuple[int, int, int]:
    """What the arrays of a state are shaped by."""
    return spec.n_teams, spec.team_size, spec.n_targets
