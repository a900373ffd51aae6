"""Which module gets which fixes, and how they come to run."""

import functools
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Protocol

from mlagents_bridge.toolkit.fixes import (
    distutils_versions,
    entry_point_groups,
    environment_registry,
    generated_messages,
    loopback_server,
    numpy_float,
    onnx_exporter,
    package_resources,
    poca_returns,
    status_numbers,
    worker_ends,
)
from mlagents_bridge.toolkit.versions import unknown_version


class Fix(Protocol):
    """One thing that has changed since ML-Agents was released, and the remedy; each is a module of this package."""

    def concerns(self, name: str) -> bool:
        """Whether the fix is for the module of this name."""

    def is_needed(self) -> bool:
        """Whether this environment has changed so."""

    def execute(self, module: ModuleType, run: Callable[[], None]) -> None:
        """Makes the module usable.

        Args:
            module: New and empty.
            run: Executes the module's own code; a fix may prepare before it, mend after it, or do without it.
        """


FIXES: tuple[Fix, ...] = (
    distutils_versions,
    entry_point_groups,
    environment_registry,
    generated_messages,
    loopback_server,
    numpy_float,
    onnx_exporter,
    package_resources,
    poca_returns,
    status_numbers,
    worker_ends,
)

applied: dict[str, list[str]] = {}
"""Name of each fix to the modules that this process has applied it to."""


def fixed_spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """The specification of a module that needs a fix.

    Args:
        name: Dotted name of a module of ML-Agents.
        path: Where its package's modules lie.

    Returns:
        None if it needs none, or is of a release that the fixes are not known for; the first time, that is said.
    """
    fixes = [fix for fix in FIXES if fix.concerns(name)]
    if not fixes or not _is_known(name.partition(".")[0]):
        return None
    needed = [fix for fix in fixes if fix.is_needed()]
    spec = PathFinder.find_spec(name, path) if needed else None
    if spec is None or not isinstance(spec.loader, SourceFileLoader):
        return None
    spec.loader = _FixingLoader(name, spec.loader.path, needed)
    return spec


@functools.cache
def _is_known(package: str) -> bool:
    reason = unknown_version(package)
    if reason:
        sys.stderr.write(f"{reason}\n")
    return reason is None


class _FixingLoader(SourceFileLoader):
    """Executes a module inside its fixes."""

    def __init__(self, fullname: str, path: str, fixes: Sequence[Fix]) -> None:
        super().__init__(fullname, path)
        self._fixes = fixes

    def exec_module(self, module: ModuleType) -> None:
        run = functools.partial(super().exec_module, module)
        for fix in self._fixes:
            run = functools.partial(fix.execute, module, run)
            applied.setdefault(_name_of(fix), []).append(module.__name__)
        run()


def _name_of(fix: Fix) -> str:
    return str(getattr(fix, "__name__", fix)).rpartition(".")[2]
