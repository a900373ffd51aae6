"""setuptools 81 and later have no pkg_resources, which ML-Agents asks for the version of torch."""

import importlib.util
from collections.abc import Callable
from importlib import metadata
from types import ModuleType

from mlagents_bridge.toolkit.fixes.substitutes import importable, module_of


def concerns(name: str) -> bool:
    """Whether the fix is for the module of this name."""
    return name == "mlagents.torch_utils.torch"


def is_needed() -> bool:
    """Whether pkg_resources is missing."""
    return importlib.util.find_spec("pkg_resources") is None


def execute(module: ModuleType, run: Callable[[], None]) -> None:  # noqa: ARG001 - the signature of a fix
    """Runs a module that imports pkg_resources."""
    substitute = module_of(
        "pkg_resources",
        get_distribution=metadata.distribution,
        DistributionNotFound=metadata.PackageNotFoundError,
    )
    with importable(substitute):
        run()
