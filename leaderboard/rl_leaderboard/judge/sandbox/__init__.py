"""Where untrusted agents run: no network, no other processes, no files but their own, bounded in everything."""

from typing import TYPE_CHECKING, Any

from rl_leaderboard.judge.sandbox.tiers import NoSandbox, Tier, gaps

if TYPE_CHECKING:
    from rl_leaderboard.judge.sandbox.limits import Limits
    from rl_leaderboard.judge.sandbox.probe import available
    from rl_leaderboard.judge.sandbox.processes import SandboxProcess, start

__all__ = ["Limits", "NoSandbox", "SandboxProcess", "Tier", "available", "gaps", "start"]

_HOMES = {"Limits": "limits", "SandboxProcess": "processes", "available": "probe", "start": "processes"}


def __getattr__(name: str) -> Any:
    # Late, because what runs first inside a sandbox is in this package too and has no use for the trusted half.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
