"""Lets scripted players choose in all arenas at once."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from snowball_fight.arenas import Arenas
from snowball_fight.compiling import driver, source_digest
from snowball_fight.opponents.players import Player
from snowball_fight.opponents.strategies import choose
from snowball_fight.state import Games

_EVERYONE = {player: np.array([player], np.int64) for player in Player}


def _choice_driver(
    digest: int,
) -> Callable[[Games, NDArray[np.void], NDArray[np.int64], int, NDArray[np.int64]], int]:
    @driver
    def fill(
        games: Games, record: NDArray[np.void], players: NDArray[np.int64], agent: int, actions: NDArray[np.int64]
    ) -> int:
        rules = record[0]
        for arena in range(len(games)):
            player = players[arena] if len(players) > 1 else players[0]
            move, strafe, turn, throw = choose(games[arena], rules, agent, player)
            actions[arena, agent, 0] = move
            actions[arena, agent, 1] = strafe
            actions[arena, agent, 2] = turn
            actions[arena, agent, 3] = throw
        return digest

    return fill


_fill = _choice_driver(source_digest())


def choose_actions(
    arenas: Arenas, agent: int, player: Player | NDArray[np.integer], actions: NDArray[np.int64]
) -> None:
    """Writes a scripted player's actions for one seat.

    Args:
        arenas: The arenas; not changed.
        agent: Whose place the player takes.
        player: One for all arenas, or integers `[n_arenas]`, one for each.
        actions: int64 `[n_arenas, n_agents, 4]`; `actions[:, agent]` is overwritten.

    Raises:
        ValueError: If there are not as many players as arenas, the agent does not exist, or `actions` has another shape
            or type.
    """
    shape = (arenas.n_arenas, arenas.spec.n_agents, 4)
    if actions.shape != shape or actions.dtype != np.int64:
        raise ValueError(f"The actions to write into have to be int64 {shape}, not {actions.dtype} {actions.shape}.")
    if not 0 <= agent < arenas.spec.n_agents:
        raise ValueError(f"There is no agent {agent}: an arena has {arenas.spec.n_agents}, counted from 0.")
    players = _EVERYONE[player] if isinstance(player, Player) else np.asarray(player, np.int64)
    if not isinstance(player, Player) and players.shape != (arenas.n_arenas,):
        raise ValueError(f"There have to be {arenas.n_arenas} players, one for each arena, not {players.shape}.")
    _fill(arenas.games, arenas.rules, players, agent, actions)
