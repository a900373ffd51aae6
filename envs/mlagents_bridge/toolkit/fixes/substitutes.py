"""Things put in place of others while ML-Agents is imported."""

import contextlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any


@contextlib.contextmanager
def importable(*modules: ModuleType) -> Iterator[None]:
    """Lets modules that do not exist be imported inside a `with` block, and nowhere else.

    Other libraries look for the same names to learn what they can do, so no substitute stays.
    """
    sys.modules.update({module.__name__: module for module in modules})
    try:
        yield
    finally:
        for module in modules:
            if sys.modules.get(module.__name__) is module:
                del sys.modules[module.__name__]


def module_of(name: str, **contents: Any) -> ModuleType:
    """A new module with the given contents."""
    module = ModuleType(name)
    vars(module).update(contents)
    return module


class Overlay:
    """Something with a few of its attributes replaced, for one user of it; the original stays as it is.

    Args:
        original: Answers for all other attributes.
        **replaced: The attributes that differ.
    """

    def __init__(self, original: Any, **replaced: Any) -> None:
        self._original = original
        vars(self).update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)
