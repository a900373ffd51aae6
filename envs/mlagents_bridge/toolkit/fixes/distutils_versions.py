"""Python 3.12 has no distutils, whose version classes ML-Agents compares versions with."""

import importlib.util
import re
from collections.abc import Callable
from functools import total_ordering
from types import ModuleType

from mlagents_bridge.toolkit.fixes.substitutes import importable, module_of

_CONCERNED = ("mlagents.torch_utils.torch", "mlagents_envs.environment")


@total_ordering
class Version:
    """Numbers between dots, as both of distutils' classes know them.

    Attributes:
        version: The numbers before the first part that is none.
    """

    def __init__(self, text: str) -> None:
        match = re.match(r"\d{1,9}(?:\.\d{1,9}){0,7}", text)
        if match is None:
            raise ValueError(f"invalid version number '{text}'")
        self.version = tuple(int(part) for part in match.group().split("."))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.version == other.version

    def __lt__(self, other: "Version") -> bool:
        return self.version < other.version

    def __hash__(self) -> int:
        return hash(self.version)


def concerns(name: str) -> bool:
    """Whether the fix is for the module of this name."""
    return name in _CONCERNED


def is_needed() -> bool:
    """Whether distutils is missing; setuptools may bring it."""
    return importlib.util.find_spec("distutils") is None


def execute(module: ModuleType, run: Callable[[], None]) -> None:  # noqa: ARG001 - the signature of a fix
    """Runs a module that imports version classes from distutils."""
    version = module_of("distutils.version", LooseVersion=Version, StrictVersion=Version)
    with importable(module_of("distutils", __path__=[], version=version), version):
        run()
