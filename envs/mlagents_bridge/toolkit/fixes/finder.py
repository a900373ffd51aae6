"""The import hook. It is loaded at the start of every Python of an environment, so it imports next to nothing."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_PACKAGES = ("mlagents.", "mlagents_envs.")


def install_finder() -> None:
    """Makes this process apply the fixes whenever modules of ML-Agents are imported; again does nothing more."""
    if not any(isinstance(finder, FixFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, FixFinder())


class FixFinder:
    """Finds the modules of ML-Agents that need a fix, and leaves all others to the finders after it."""

    def find_spec(
        self,
        fullname: str,
        path: "Sequence[str] | None" = None,
        target: "ModuleType | None" = None,  # noqa: ARG002 - the import system's signature
    ) -> "ModuleSpec | None":
        """The specification of a module that needs a fix, None for every other.

        Args:
            fullname: Dotted name of the module.
            path: Where its package's modules lie.
            target: Unused.
        """
        if not fullname.startswith(_PACKAGES):
            return None
        from mlagents_bridge.toolkit.fixes.loading import fixed_spec

        return fixed_spec(fullname, path)
