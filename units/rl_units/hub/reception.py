"""Turning somebody else's repository into a run folder of our own, with none of their pickles in it."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl_units.agents import load_agent
from rl_units.errors import HubError, RunNotFoundError
from rl_units.files import write_text
from rl_units.hub import metrics
from rl_units.hub.client import HubClient
from rl_units.hub.configuration import received_env_kwargs
from rl_units.hub.repository import AGENT_FILES, CARD_FILE, STATISTICS_FILES, default_name
from rl_units.hub.run_folder import replaced_folder, write_run
from rl_units.hub.transfer import Snapshot, download_files, resolve_snapshot
from rl_units.model_card import read_claim
from rl_units.runs import Run, check_statistics, file_name, run_folders
from rl_units.yaml_files import MAX_BYTES as MAX_YAML_BYTES
from rl_units.yaml_files import read_yaml

ORIGIN_FILE = "hub.json"
"""Says in a run folder which commit of which repository it came from."""

MAX_MODEL_BYTES = 512 * 1024**2
"""Largest zip or safetensors file; SB3's zip of the Atari network has 27 MB."""

_MAX_SMALL_BYTES = 32 * 1024**2  # agent.json, statistics and the card
_YAML_FILES = ("config.yml", "args.yml", "env_kwargs.yml")


@dataclass(frozen=True)
class Received:
    """An agent that has been fetched.

    Attributes:
        folder: Its new run folder.
        snapshot: Where it came from.
        claim: The score that its card claims; None if it claims none.
    """

    folder: Path
    snapshot: Snapshot
    claim: str | None


def receive_agent(
    hub: HubClient, repo_id: str, algo: str, env_id: str, folder: Path, *, exp_id: int, revision: str, force: bool
) -> Received:
    """Downloads an agent without running anything of it, and writes a run folder that the Zoo reads as well.

    Args:
        hub: Where from.
        repo_id: `<namespace>/<name>`.
        algo: Algorithm as the Zoo spells it.
        env_id: Gymnasium id.
        folder: Log folder, as for `train -f`.
        exp_id: Number of the new run; 0 takes the next free one.
        revision: Branch, tag or commit.
        force: Whether an existing run of that number is replaced.

    Raises:
        HubError: If the Hub fails, or the repository holds no agent.
        RunNotFoundError: If the run exists and `force` is not given, or `exp_id` is negative.
        UserError: If a file is refused; nothing has been written then.
    """
    target = _choose_target(folder, algo, env_id, exp_id, force)
    snapshot = resolve_snapshot(hub, repo_id, revision)
    limits = _wanted_files(snapshot, algo, env_id)
    hub.report(f"{repo_id} is at commit {snapshot.commit}; fetching {', '.join(sorted(limits))}")
    with tempfile.TemporaryDirectory() as temporary:
        download = Path(temporary)
        download_files(hub, snapshot, limits, download)
        # Out of the way of the loader, which takes the only zip in a folder for the agent.
        curves = download / "curves" / metrics.FILE_NAME
        if metrics.FILE_NAME in limits:
            curves.parent.mkdir()
            (download / metrics.FILE_NAME).rename(curves)
        run, arguments = _read_run(download, target, algo, env_id)
        has_statistics = any(name in limits for name in STATISTICS_FILES)
        check_statistics(run.config, has_statistics, f"The agent in {repo_id}")
        agent = load_agent(download, run.protocol, algo=algo)
        with replaced_folder(target) as new:
            write_run(agent, run, arguments, new)
            if curves.is_file():
                metrics.unpack_metrics(curves, new)
            origin = {"endpoint": hub.endpoint, "repo_id": repo_id, "revision": revision, "commit": snapshot.commit}
            write_text(new / ORIGIN_FILE, json.dumps(origin, indent=2) + "\n")
        card = download / CARD_FILE
        claim = read_claim(card.read_text(encoding="utf-8", errors="replace"), env_id) if card.is_file() else None
    return Received(target, snapshot, claim)


def _choose_target(folder: Path, algo: str, env_id: str, exp_id: int, force: bool) -> Path:
    if exp_id < 0:
        raise RunNotFoundError(
            "A fetched agent gets a numbered run folder: --exp-id takes a number, or 0 for the next."
        )
    number = exp_id or max(run_folders(folder, algo, env_id), default=0) + 1
    target = folder / algo / f"{file_name(env_id)}_{number}"
    if target.exists() and not force:
        raise RunNotFoundError(
            f"{target} exists already. Add --force to replace it, or leave --exp-id out to take the next number."
        )
    return target


def _wanted_files(snapshot: Snapshot, algo: str, env_id: str) -> dict[str, int]:
    """Names of the files to fetch, each with its largest size in bytes."""
    there = snapshot.sizes
    if all(name in there for name in AGENT_FILES):
        wanted = {"agent.json": _MAX_SMALL_BYTES, "agent.safetensors": MAX_MODEL_BYTES}
    else:
        wanted = {_find_zip(snapshot, f"{default_name(algo, env_id)}.zip"): MAX_MODEL_BYTES}
    statistics = next((name for name in STATISTICS_FILES if name in there), None)
    others = {
        **dict.fromkeys(_YAML_FILES, MAX_YAML_BYTES),
        CARD_FILE: _MAX_SMALL_BYTES,
        metrics.FILE_NAME: metrics.MAX_BYTES,
        **({statistics: _MAX_SMALL_BYTES} if statistics else {}),
    }
    return wanted | {name: limit for name, limit in others.items() if name in there}


def _find_zip(snapshot: Snapshot, name: str) -> str:
    """The Zoo's `<algo>-<env>.zip`, or the only zip at the top of the repository."""
    zips = [file for file in snapshot.sizes if file.endswith(".zip") and "/" not in file and file != metrics.FILE_NAME]
    if name in zips:
        return name
    if len(zips) != 1:
        raise HubError(
            f"{snapshot.repo_id} holds no agent that can be read: neither agent.json with agent.safetensors nor {name}."
            " Check --algo, --env and --repo-name."
        )
    return zips[0]


def _read_run(download: Path, target: Path, algo: str, env_id: str) -> tuple[Run, dict[str, Any]]:
    config, arguments, env_kwargs = (
        read_yaml(download / name) if (download / name).is_file() else {} for name in _YAML_FILES
    )
    kwargs = arguments.get("env_kwargs") or config.get("env_kwargs") or env_kwargs
    model = target / f"{file_name(env_id)}.zip"
    return Run(algo, env_id, target, model, config, received_env_kwargs(kwargs)), arguments
