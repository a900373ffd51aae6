"""Which sandbox works here: found by attacking each from inside, never by looking whether a program is installed."""

import dataclasses
import json
import logging
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rl_leaderboard.judge.sandbox.hostile import READY, Targets
from rl_leaderboard.judge.sandbox.limits import Limits
from rl_leaderboard.judge.sandbox.processes import start
from rl_leaderboard.judge.sandbox.scene import Scene
from rl_leaderboard.judge.sandbox.tiers import PROMISES, Attempt, NoSandbox, Tier

_PATIENCE = 60.0  # seconds for one sandbox of the self-test; a few tenths are usual
_MIB = 2**20
_LIMITS = Limits(
    memory_bytes=512 * _MIB,
    cpu_seconds=20,
    file_bytes=8 * _MIB,
    processes=32,
    scratch_bytes=32 * _MIB,
    scratch_files=100,
)
# These end the process that tries, or take it long; each has a sandbox of its own, all at the same time.
_APART = (Attempt.THREAD_FLOOD, Attempt.FILL_SCRATCH, Attempt.FILL_UNSEEN, Attempt.CPU_TIME)
_HOSTILE = "rl_leaderboard.judge.sandbox.hostile"
_log = logging.getLogger(__name__)


def available(minimum: Tier, allow_limits_only: bool = False) -> Tier:
    """The strongest sandbox that works on this machine.

    Args:
        minimum: The weakest that is good enough.
        allow_limits_only: Whether the operator has said that `Tier.LIMITS` may be used at all.

    Raises:
        NoSandbox: None is good enough.
    """
    order = list(Tier)
    tried = [tier for tier in order[: order.index(minimum) + 1] if tier is not Tier.LIMITS or allow_limits_only]
    reasons = []
    for tier in tried:
        try:
            broken = {attempt for attempt, stopped in examine(tier).items() if not stopped} & PROMISES[tier]
        except NoSandbox as error:
            reasons.append(f"{tier.value}: {error}")
            continue
        if not broken:
            return tier
        reasons.append(f"{tier.value}: it does not stop an agent that tries to {_listed(broken)}.")
    for reason in reasons:
        _log.warning("No sandbox %s", reason)
    raise NoSandbox(
        f"No sandbox of at least the configured minimum, {minimum.value}, works here, so no agent will be run. "
        + " ".join(reasons)
    )


def examine(tier: Tier) -> dict[Attempt, bool]:
    """For each attempt whether the tier stops it on this machine, promised or not. Takes about two seconds.

    Raises:
        NoSandbox: Nothing can be run in it at all.
    """
    groups = [[attempt] for attempt in _APART]
    groups.append([attempt for attempt in Attempt if attempt not in _APART])
    with Scene() as scene:
        with ThreadPoolExecutor(len(groups)) as threads:
            results = list(threads.map(lambda group: _through(tier, scene, group), groups))
        through = set().union(*results) | {attempt for attempt, reached in scene.evidence().items() if reached}
    return {attempt: attempt not in through for attempt in Attempt}


def _through(tier: Tier, scene: Scene, attempts: Sequence[Attempt]) -> set[Attempt]:
    """The attempts that say themselves that they got through; whoever is killed in one goes on with the next."""
    through: set[Attempt] = set()
    waiting = list(attempts)
    limits = dataclasses.replace(_LIMITS, cpu_seconds=1) if Attempt.CPU_TIME in waiting else _LIMITS
    while waiting:
        lines, in_time = _run(tier, limits, scene.targets(limits), waiting)
        begun = [Attempt(line[1]) for line in lines if line[0] == "begin"]
        through |= {Attempt(line[1]) for line in lines if line[0] == "end" and line[2]}
        if not in_time:
            return through | set(waiting) - set(begun[:-1])  # whatever it was, it went on
        waiting = [attempt for attempt in waiting if attempt not in begun]
    return through


def _run(tier: Tier, limits: Limits, targets: Targets, attempts: list[Attempt]) -> tuple[list[list[str]], bool]:
    """The lines of one run of the hostile program, and whether it ended by itself."""
    arguments = [json.dumps(attempts), json.dumps(dataclasses.asdict(targets))]
    with start(tier, limits, _HOSTILE, arguments, readable=[]) as process:
        try:
            output, _ = process.communicate(timeout=_PATIENCE)
            in_time = True
        except subprocess.TimeoutExpired:
            process.end()
            output, _ = process.communicate()
            in_time = False
        lines = [json.loads(line) for line in output.decode().splitlines()]
        if [READY] not in lines or len(lines) < 2:
            complaint = process.stderr_text().strip().splitlines()
            raise NoSandbox(
                complaint[-1] if complaint else f"nothing can be run in it (exit status {process.returncode})."
            )
    return lines, in_time


def _listed(attempts: set[Attempt]) -> str:
    return ", ".join(attempt.value for attempt in Attempt if attempt in attempts)
