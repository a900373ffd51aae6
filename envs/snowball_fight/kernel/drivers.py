"""The loops over arenas that Python calls. Each works on a range of arenas, so that threads can share a batch."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from snowball_fight.compiling import compiled, driver, source_digest
from snowball_fight.kernel import episodes
from snowball_fight.kernel.constants import Rules
from snowball_fight.kernel.rays import Sight
from snowball_fight.kernel.sight import observe
from snowball_fight.state import Flags, Floats, Game, Games

DISABLED: Final = 0
NEXT_STEP: Final = 1
SAME_STEP: Final = 2
"""What follows an episode's end: nothing; a new episode in the next step; a new episode within the step."""

Actions = NDArray[np.int64]
RulesRecords = NDArray[np.void]
"""One record for all arenas, or one for each."""
Sights = NDArray[np.void]

_ONE_EPISODE = np.uint64(1)
_BRANCHES: Final = 4


@compiled
def _observe_all(game: Game, rules: Rules, sight: Sight, observations: Floats, arena: int) -> None:
    """Observes the arena for each of its agents."""
    for agent in range(rules.n_agents):
        observe(game, rules, sight, agent)
        for place in range(len(sight.row)):
            observations[arena, agent, place] = sight.row[place]


@compiled
def _begin_next(game: Game, rules: Rules) -> None:
    """Begins the next episode of the arena's seed."""
    game.episode = game.episode + _ONE_EPISODE
    episodes.begin(game, rules)


def _begin_driver(digest: int) -> Callable[[Games, RulesRecords, Flags, Floats, Sights, int, int, int], int]:
    @driver
    def begin(
        games: Games,
        records: RulesRecords,
        where: Flags,
        observations: Floats,
        sights: Sights,
        thread: int,
        start: int,
        stop: int,
    ) -> int:
        sight = sights[thread]
        for arena in range(start, stop):
            game = games[arena]
            rules = records[arena if len(records) > 1 else 0]
            if where[arena]:
                episodes.begin(game, rules)
            _observe_all(game, rules, sight, observations, arena)
        return digest

    return begin


def _step_driver(
    digest: int,
) -> Callable[[Games, RulesRecords, Actions, int, Floats, Floats, Sights, int, int, int], int]:
    @driver
    def step(
        games: Games,
        records: RulesRecords,
        actions: Actions,
        autoreset: int,
        observations: Floats,
        final_observations: Floats,
        sights: Sights,
        thread: int,
        start: int,
        stop: int,
    ) -> int:
        sight = sights[thread]
        for arena in range(start, stop):
            game = games[arena]
            rules = records[arena if len(records) > 1 else 0]
            for agent in range(rules.n_agents):
                for branch in range(_BRANCHES):
                    game.action[agent, branch] = actions[arena, agent, branch]
            episodes.clear_outcome(game, rules)
            if autoreset == NEXT_STEP and game.over:
                _begin_next(game, rules)
            else:
                episodes.play_decision(game, rules)
            episodes.note_outcome(game, rules)
            if autoreset == SAME_STEP and game.over:
                _observe_all(game, rules, sight, final_observations, arena)
                _begin_next(game, rules)
            _observe_all(game, rules, sight, observations, arena)
        return digest

    return step


def _check_driver(digest: int) -> Callable[[Actions], int]:
    @driver
    def first_bad_action(actions: Actions) -> int:
        n_agents = actions.shape[1]
        for arena in range(actions.shape[0]):
            for agent in range(n_agents):
                for branch in range(_BRANCHES):
                    choices = 2 if branch == _BRANCHES - 1 else 3
                    if actions[arena, agent, branch] < 0 or actions[arena, agent, branch] >= choices:
                        return int(arena * n_agents + agent)
        return -1 if digest >= 0 else 0

    return first_bad_action


_DIGEST = source_digest()

begin = _begin_driver(_DIGEST)
"""Begins episodes in the arenas from `start` to `stop` that `where` `[n]` names, and observes all of that range."""

step = _step_driver(_DIGEST)
"""Plays a decision in the arenas from `start` to `stop`; `actions` is int64 `[n, agents, 4]`, checked before."""

first_bad_action = _check_driver(_DIGEST)
"""Row (arena times agents plus agent) of the first action out of range, or -1."""
