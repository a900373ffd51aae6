"""An arena's constants as compiled functions read them: float32 and int32 fields of a record."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snowball_fight.spec import ArenaSpec
from snowball_fight.state import record_type

_LENGTHS = (
    "half_width",
    "half_length",
    "agent_radius",
    "agent_speed",
    "grip",
    "snowball_radius",
    "snowball_speed",
    "target_radius",
    "target_speed",
    "ray_length",
    "ray_radius",
    "tick_seconds",
    "hit_reward",
    "target_reward",
)
_COUNTS = (
    "team_size",
    "n_teams",
    "n_agents",
    "n_targets",
    "n_gliding_targets",
    "turn_per_tick",
    "start_spread",
    "cooldown_ticks",
    "flight_ticks",
    "hits_to_fall",
    "ticks_per_decision",
    "max_ticks",
)

_USUAL_SHELTERS = 8
"""Room for so many, whatever a spec has: the code is compiled anew for every size of the record."""

Rules = Any
"""A record with the fields of `ArenaSpec` that the kernel needs (numba and numpy both read `rules.agent_radius`)."""


def rules_of(spec: ArenaSpec) -> NDArray[np.void]:
    """The constants of an arena, rounded to float32 once.

    Returns:
        One record, as an array `[1]`, because numba takes arrays from Python faster than single values. `shelters` is
        float32 `[s, 3]`: x, y and radius, metres; of them `n_shelters` count.
    """
    room = max(len(spec.shelters), _USUAL_SHELTERS)
    fields: list[Any] = [(name, np.float32) for name in _LENGTHS]
    fields += [(name, np.int32) for name in (*_COUNTS, "n_shelters")]
    fields += [("shelters", np.float32, (room, 3))]
    rules = np.zeros(1, record_type(fields))
    for name in (*_LENGTHS, *_COUNTS):
        rules[name] = getattr(spec, name)
    rules["n_shelters"] = len(spec.shelters)
    for index, shelter in enumerate(spec.shelters):
        rules["shelters"][0, index] = shelter
    return rules
