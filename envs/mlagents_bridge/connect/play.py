"""A session played by slots: steps that last until an agent asks for an action."""

import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence

from mlagents_bridge.behaviors import Actions, Behavior, Exchange
from mlagents_bridge.connect.lineup import Lineup
from mlagents_bridge.connect.settings import Settings
from mlagents_bridge.connect.unity import UnitySession
from mlagents_bridge.errors import BridgeError


class Play:
    """A Unity environment whose agents have slots.

    Args:
        file: The executable; None for the editor.
        settings: How it is started.
        choose: Which behaviours are played, from all that there are: each group shares a lineup. The others' agents do
            nothing.

    Attributes:
        session: What is played; a reset with another seed starts a new one.
        lineups: One for each group.

    Raises:
        BridgeError: If the environment cannot be started, or `choose` finds nothing to play.
    """

    def __init__(
        self,
        file: str | os.PathLike[str] | None,
        settings: Settings,
        choose: Callable[[Mapping[str, Behavior]], Sequence[Sequence[Behavior]]],
    ) -> None:
        self.session = UnitySession(file, settings)
        self._is_fresh = False
        try:
            exchange = self._first_exchange()
            self.lineups = [Lineup(group, exchange) for group in choose(self.session.behaviors)]
            for lineup in self.lineups:
                if not lineup.n_slots:
                    raise BridgeError(f"No agent of {lineup.behavior.name} asks for an action when the game begins.")
            self._begin(exchange)
        except BaseException:
            self.session.close()
            raise

    def reset(self, seed: int | None = None) -> None:
        """Begins all episodes anew.

        Args:
            seed: Starts the executable again under this seed, unless it has just been started with it. An editor keeps
                the seed that it was started with.

        Raises:
            BridgeError: If something goes wrong with the environment.
            ValueError: If it is no seed of Unity's.
        """
        if seed is not None and (seed != self.session.settings.seed or not self._is_fresh):
            if self.session.file is None:
                warnings.warn("A running editor takes no new seed: press Play again for one.", stacklevel=3)
            else:
                self.session = self.session.started_again(seed)
                self._is_fresh = False
        if not self._is_fresh or self.session.has_news:
            self._begin(self._first_exchange())
        self._is_fresh = False

    def step(self, actions: Sequence[Actions], is_over: Callable[[], bool] = lambda: False) -> None:
        """Lets the game go on until somebody asks for an action.

        Args:
            actions: For each lineup, for each of its slots.
            is_over: Whether that is not to be waited for.

        Raises:
            BridgeError: If something goes wrong with the environment, or nobody asks in time.
        """
        self._is_fresh = False
        instructed: dict[str, Actions] = {}
        for lineup, chosen in zip(self.lineups, actions, strict=True):
            instructed |= lineup.instruct(chosen)
            lineup.start_step()
        self._hear(self.session.step(instructed))
        deadline = self._deadline()
        while not (self._is_asked() or is_over()):
            self._hear(self.session.step({}))
            self._check(deadline)

    def close(self) -> None:
        """Ends the environment."""
        self.session.close()

    def _begin(self, exchange: Exchange) -> None:
        for lineup in self.lineups:
            lineup.begin(exchange)
        self._is_fresh = True

    def _first_exchange(self) -> Exchange:
        """A reset, and what follows until there is an agent that asks for an action."""
        exchange = self.session.reset()
        deadline = self._deadline()
        while all(rows.done.all() for rows in exchange.rows.values()):
            exchange = self.session.step({})
            self._check(deadline)
        return exchange

    def _hear(self, exchange: Exchange) -> None:
        for lineup in self.lineups:
            lineup.hear(exchange)

    def _is_asked(self) -> bool:
        return any(lineup.moment.awaits_action.any() for lineup in self.lineups)

    def _deadline(self) -> float:
        return time.monotonic() + self.session.settings.timeout

    def _check(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            self.close()
            raise BridgeError(
                f"No agent of the environment has asked for an action for {self.session.settings.timeout:g} seconds. "
                "Agents need a Decision Requester, and the behavior type Default."
            )
