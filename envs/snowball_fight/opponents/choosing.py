"""Lets scripted players choose in all arenas at once."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from snowball_fight.arenas import Arenas
from snowball_fight.compiling import driver, source_digest
from snowball_fight.opponents.players import Player
from snowball_fight.opponents.strategies import choose
from snowball_fight.random_stream import OPPONENT, below, draw
from snowball_fight.state import Games

_EVERYONE = {player: np.array([player], np.int64) for player in Player}


def _choice_driver(
    digest: int,
) -> Callable[[Games, NDArray[np.void], NDArray[np.int64], bool, int, NDArray[np.int64]], int]:
    @driver
    def fill(
        games: Games,
        records: NDArray[np.void],
        players: NDArray[np.int64],
        draws: bool,
        agent: int,
        actions: NDArray[np.int64],
    ) -> int:
        for arena in range(len(games)):
            game = games[arena]
            rules = records[arena if len(records) > 1 else 0]
            player = players[arena if len(players) > 1 and not draws else 0]
            if draws:
                word = draw(game.seed, game.episode, 0, OPPONENT, agent)[0]
                player = players[np.int64(below(word, len(players)))]
            move, strafe, turn, throw = choose(game, rules, agent, player)
            actions[arena, agent, 0] = move
            actions[arena, agent, 1] = strafe
            actions[arena, agent, 2] = turn
            actions[arena, agent, 3] = throw
        return digest

    return fill


_fill = _choice_driver(source_digest())


def choose_actions(
    arenas: Arenas,
    agent: int,
    player: Player | Sequence[Player] | NDArray[np.integer],
    actions: NDArray[np.int64],
) -> None:
    """Writes a scripted player's actions for one seat.

    Args:
        arenas: The arenas; not changed.
        agent: Whose place the player takes.
        player: One for all arenas; several, of whom one is drawn for every episode; or integers `[n_arenas]`, one for
            each.
        actions: int64 `[n_arenas, n_agents, 4]`; `actions[:, agent]` is overwritten.

    Raises:
        ValueError: If there is no player, or not as many as arenas, the agent does not exist, or `actions` has another
            shape or type.
    """
    shape = (arenas.n_arenas, arenas.spec.n_agents, 4)
    if actions.shape != shape or actions.dtype != np.int64:
        raise ValueError(f"The actions to write into have to be int64 {shape}, not {actions.dtype} {actions.shape}.")
    if not 0 <= agent < arenas.spec.n_agents:
        raise ValueError(f"There is no agent {agent}: an arena has {arenas.spec.n_agents}, counted from 0.")
    players = _EVERYONE[player] if isinstance(player, Player) else np.asarray(player, np.int64)
    if isinstance(player, np.ndarray) and players.shape != (arenas.n_arenas,):
        raise ValueError(f"There have to be {arenas.n_arenas} players, one for each arena, not {players.shape}.")
    if not len(players):
        raise ValueError("There has to be at least one player to draw from.")
    draws = len(players) > 1 and not isinstance(player, np.ndarray)
    _fill(arenas.games, arenas.rules, players, draws, agent, actions)
