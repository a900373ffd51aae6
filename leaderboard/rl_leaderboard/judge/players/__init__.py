"""Untrusted agents, loaded and played in sandboxed processes; seeds, rewards and scores stay in this one."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rl_leaderboard.judge.players.failures import AgentFailed, PlayersUnavailable
    from rl_leaderboard.judge.players.limits import PlayerLimits
    from rl_leaderboard.judge.players.pool import PlayerPool
    from rl_leaderboard.judge.players.sandboxed_agent import SandboxedAgent
    from rl_leaderboard.judge.players.warm import in_sandbox

__all__ = ["AgentFailed", "PlayerLimits", "PlayerPool", "PlayersUnavailable", "SandboxedAgent", "in_sandbox"]

_HOMES = {
    "AgentFailed": "failures",
    "PlayersUnavailable": "failures",
    "PlayerLimits": "limits",
    "PlayerPool": "pool",
    "SandboxedAgent": "sandboxed_agent",
    "in_sandbox": "warm",
}


def __getattr__(name: str) -> Any:
    # Late, because the program inside the sandbox is in this package too and has no use for the trusted half.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
