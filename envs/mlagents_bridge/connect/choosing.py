"""Which of an environment's behaviours are played."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mlagents_bridge.behaviors import Behavior
from mlagents_bridge.errors import BridgeError

Groups = Sequence[Sequence[Behavior]]


def one(name: str | None) -> Callable[[Mapping[str, Behavior]], Groups]:
    """Chooses one behaviour, with all its teams.

    Args:
        name: With its team or without; None where there is only one.
    """

    def choose(behaviors: Mapping[str, Behavior]) -> Groups:
        names = sorted({behavior.base_name for behavior in behaviors.values()})
        if name is not None and name in behaviors:
            return [[behaviors[name]]]
        if name is None and len(names) > 1:
            raise BridgeError(f"The environment has several behaviours, so one has to be named: {', '.join(names)}.")
        if name is not None and name not in names:
            raise _unknown(name, behaviors)
        teams = sorted(behavior.name for behavior in behaviors.values() if name in (None, behavior.base_name))
        group = [behaviors[team] for team in teams]
        if any(replace(behavior, name=group[0].name) != group[0] for behavior in group):
            raise BridgeError(f"These teams differ in what they see or do, so one has to be named: {', '.join(teams)}.")
        return [group]

    return choose


def each(name: str | None) -> Callable[[Mapping[str, Behavior]], Groups]:
    """Chooses behaviours with all their teams, each team by itself.

    Args:
        name: Of one of them, with its team or without; None for all.
    """

    def choose(behaviors: Mapping[str, Behavior]) -> Groups:
        chosen = [other for other in sorted(behaviors) if name in (None, other, behaviors[other].base_name)]
        if not chosen:
            raise _unknown(name, behaviors)
        return [[behaviors[other]] for other in chosen]

    return choose


def _unknown(name: str | None, behaviors: Mapping[str, Behavior]) -> BridgeError:
    return BridgeError(f"The environment has no behaviour {name!r}, but {', '.join(sorted(behaviors))}.")
