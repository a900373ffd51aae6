"""Fingerprints of many games, compiled or not: `NUMBA_DISABLE_JIT=1 python -m snowball_games 64 10` prints them."""

import hashlib
import json
import sys

import numpy as np

from snowball_fight import ONE_VS_ONE, TARGET_PRACTICE, TWO_VS_TWO, Arenas
from snowball_fight.opponents import Player, choose_actions

SPECS = {"1vs1": ONE_VS_ONE, "2vs2": TWO_VS_TWO, "targets": TARGET_PRACTICE}


def fingerprint(spec, n_arenas, steps, threads=1):
    """A digest of every observation and reward of games between scripted players of all kinds."""
    arenas = Arenas(spec, n_arenas, threads=threads)
    actions = np.zeros((n_arenas, spec.n_agents, 4), np.int64)
    digest = hashlib.sha256(arenas.reset(7).tobytes())
    # Late in the episode, so that time limits and new episodes come up, too.
    arenas.state.tick[::3] = spec.max_ticks - 5 * (steps // 2)
    for _ in range(steps):
        for agent in range(spec.n_agents):
            kinds = 1 + (np.arange(n_arenas) + agent) % (len(Player) - 1)
            choose_actions(arenas, agent, kinds, actions)
        outcome = arenas.step(actions)
        for part in (outcome.observations, outcome.final_observations[outcome.ended], outcome.rewards):
            digest.update(part.tobytes())
    return digest.hexdigest()


def main():
    """Prints the fingerprints of all kinds of games."""
    n_arenas, steps = (int(argument) for argument in sys.argv[1:])
    print(json.dumps({name: fingerprint(spec, n_arenas, steps) for name, spec in SPECS.items()}))


if __name__ == "__main__":
    main()
