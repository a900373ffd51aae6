"""From Python 3.12 on, all entry points are no dictionary of groups, so ML-Agents finds no plug-in, its own neither."""

from collections.abc import Callable
from importlib import metadata
from types import ModuleType

from mlagents_bridge.toolkit.fixes.substitutes import Overlay

_CONCERNED = ("mlagents.plugins.stats_writer", "mlagents.plugins.trainer_type")


def concerns(name: str) -> bool:
    """Whether the fix is for the module of this name."""
    return name in _CONCERNED


def is_needed() -> bool:
    """Whether they are no dictionary."""
    return not issubclass(type(metadata.entry_points()), dict)


def execute(module: ModuleType, run: Callable[[], None]) -> None:
    """Lets the module see groups of entry points."""
    run()
    vars(module)["importlib_metadata"] = Overlay(metadata, entry_points=_groups)


def _groups() -> dict[str, tuple[metadata.EntryPoint, ...]]:
    found = metadata.entry_points()
    return {group: tuple(found.select(group=group)) for group in found.groups}
