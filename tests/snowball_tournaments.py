"""Tournaments between the scripted players: `PYTHONPATH=tests python -m snowball_tournaments` prints their tables.

The constants of the arena were chosen by these figures.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from snowball_fight import ONE_VS_ONE, TARGET_PRACTICE, TWO_VS_TWO, Arenas, ArenaSpec
from snowball_fight.opponents import Player, choose_actions


@dataclass(frozen=True)
class Record:
    """What many games between two sides came to; `draws` are games in which both fell in the same tick."""

    games: int
    wins: tuple[int, int]
    draws: int
    time_outs: int
    hits: tuple[int, int]
    throws: tuple[int, int]
    ticks: int

    @property
    def win_rates(self) -> tuple[float, float]:
        """Share of the games that each side won."""
        return self.wins[0] / self.games, self.wins[1] / self.games

    @property
    def hit_rates(self) -> tuple[float, float]:
        """Hits a throw of each side."""
        return tuple(hits / max(throws, 1) for hits, throws in zip(self.hits, self.throws, strict=True))


def play(spec: ArenaSpec, sides: Sequence[Player], games: int = 2000, seed: int = 0) -> Record:
    """Plays one episode in each of `games` arenas, `sides[team]` in every seat of its team."""
    arenas = Arenas(spec, games)
    arenas.reset(seed)
    actions = np.zeros((games, spec.n_agents, 4), np.int64)
    pending = np.ones(games, bool)
    hits, throws = np.zeros(2, int), np.zeros(2, int)
    wins, draws, time_outs, ticks = np.zeros(2, int), 0, 0, 0
    for _ in range(spec.max_decisions):
        for agent in range(spec.n_agents):
            choose_actions(arenas, agent, sides[agent // spec.team_size], actions)
        outcome = arenas.step(actions)
        for agent in range(spec.n_agents):
            hits[agent // spec.team_size] += outcome.hits[pending, agent].sum()
            throws[agent // spec.team_size] += outcome.throws[pending, agent].sum()
        ending = pending & outcome.ended
        time_out = outcome.truncated.any(axis=1)
        wins += [(outcome.winner[ending] == team).sum() for team in range(2)]
        time_outs += int(time_out[ending].sum())
        draws += int(((outcome.winner == -1) & ~time_out)[ending].sum())
        ticks += int(outcome.ticks[ending].sum())
        pending &= ~ending
        if not pending.any():
            break
    assert not pending.any(), "an episode went on beyond its time limit"
    pairs = [(int(first), int(second)) for first, second in (wins, hits, throws)]
    return Record(games, pairs[0], draws, time_outs, pairs[1], pairs[2], ticks)


def table(spec: ArenaSpec, games: int) -> list[str]:
    """Every pairing of the scripted players, a line each."""
    lines = [f"{'team 0':>14} {'team 1':>14}   win 0   win 1    draw  time-out  hits/throw 0  hits/throw 1  seconds"]
    for first in Player:
        for second in Player:
            record = play(spec, (first, second), games)
            wins, rates = record.win_rates, record.hit_rates
            seconds = record.ticks / games * spec.tick_seconds
            lines.append(
                f"{first.name.lower():>14} {second.name.lower():>14} {wins[0]:7.1%} {wins[1]:7.1%} "
                f"{record.draws / games:7.1%} {record.time_outs / games:9.1%} {rates[0]:13.1%} {rates[1]:13.1%} "
                f"{seconds:8.1f}"
            )
    return lines


def main() -> None:
    """Prints the tables of all kinds of games."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=int, default=2000, help="for each pairing")
    games = parser.parse_args().games
    bare = replace(ONE_VS_ONE, shelters=())
    for title, spec in (("1 vs 1", ONE_VS_ONE), ("1 vs 1 without shelters", bare), ("2 vs 2", TWO_VS_TWO)):
        print(title, *table(spec, games), "", sep="\n")
    print("Target practice: hits in an episode")
    for player in Player:
        record = play(TARGET_PRACTICE, (player,), games)
        print(f"{player.name.lower():>14} {record.hits[0] / games:6.1f}")


if __name__ == "__main__":
    main()
