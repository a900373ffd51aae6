"""What lets ML-Agents 1.1.0, written for Python 3.10 and libraries of its day, run on current ones.

`install_finder()` has next to no cost; a fix is loaded when ML-Agents is imported, and applied where it is needed.
"""

from mlagents_bridge.toolkit.fixes.finder import install_finder

__all__ = ["install_finder"]
