"""`push_to_hub`: evaluate, record and upload a trained agent with its model card."""

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from rl_units.commands.common import add_run_arguments, chosen_run, non_negative, positive, print_score

if TYPE_CHECKING:
    from rl_units.course import Protocol
    from rl_units.episodes import Episode
    from rl_units.hub.repository import Replay, Repository
    from rl_units.runs import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's flags."""
    add_run_arguments(parser)
    parser.add_argument("-orga", "--organization", metavar="NAME", help="namespace to push to (default: your own name)")
    parser.add_argument("-name", "--repo-name", metavar="NAME", help="name of the repository (default: <algo>-<env>)")
    parser.add_argument("-m", "--commit-message", metavar="TEXT", help="commit message (default: names the score)")
    parser.add_argument("-n", "--n-timesteps", type=positive, default=1000, help="length of the replay in decisions")
    parser.add_argument("--seed", type=non_negative, default=0, help="seed of the replay")
    parser.add_argument("--no-render", action="store_true", help="push without a replay")
    parser.add_argument(
        "--n-eval-episodes", type=positive, help="episodes (default: the protocol's; only that many score)"
    )
    parser.add_argument(
        "--n-workers", type=non_negative, default=0, help="processes that evaluate (default: one for each core)"
    )
    parser.add_argument(
        "--to-folder", type=Path, metavar="DIR", help="build the repository there and push nothing; needs no token"
    )


def run(options: argparse.Namespace) -> None:
    """Builds the repository of the chosen run and, unless `--to-folder` is given, pushes it.

    Token, role and namespace are checked, and the repository is made, before anything slow is done.

    Raises:
        UserError: If the run is refused, or the Hub refuses or fails; what has been built is kept.
    """
    from rl_units.hub.repository import Replay, check_name, default_name

    replay = None if options.no_render else Replay(options.n_timesteps, options.seed)
    chosen = chosen_run(options)
    protocol = chosen.protocol
    if options.n_eval_episodes:
        protocol = dataclasses.replace(protocol, n_episodes=options.n_eval_episodes)
    name = check_name(options.repo_name or default_name(chosen.algo, chosen.env_id))
    if options.to_folder is None:
        _push(chosen, protocol, name, replay, options)
        return
    namespace = options.organization or "<your-name>"
    _build(chosen, protocol, f"{namespace}/{name}", options.to_folder, None, replay, options)
    print(f"\nBuilt in {options.to_folder}; nothing was pushed.")


def _push(chosen: "Run", protocol: "Protocol", name: str, replay: "Replay | None", options: argparse.Namespace) -> None:
    from rl_units.hub.account import choose_repository, fetch_account
    from rl_units.hub.client import DEFAULT_ENDPOINT, open_hub
    from rl_units.hub.repository import OUTDATED
    from rl_units.hub.transfer import create_repository, upload_files

    hub = open_hub(print)
    account = fetch_account(hub)
    repo_id = choose_repository(account, hub.endpoint, options.organization, name)
    address = create_repository(hub, repo_id)
    print(f"Logged in to {hub.endpoint} as {account.name}; the repository is {repo_id}")
    endpoint = None if hub.endpoint == DEFAULT_ENDPOINT else hub.endpoint
    repository = _build(chosen, protocol, repo_id, chosen.folder / "hub" / name, endpoint, replay, options)
    result = repository.result
    message = options.commit_message or f"{result.mean_reward:.2f} +/- {result.std_reward:.2f} on {result.env_id}"
    print(f"Pushing to {address}")
    commit = upload_files(hub, repo_id, repository.folder, repository.files, OUTDATED, message)
    print(f"\nPushed: {address} (commit {commit})")
    namespace, _, repo_name = repo_id.partition("/")
    print(
        f"Load it: python -m rl_units load_from_hub --algo {chosen.algo} --env {chosen.env_id} "
        f"-orga {namespace} --repo-name {repo_name} -f loaded/"
    )


def _build(
    chosen: "Run",
    protocol: "Protocol",
    repo_id: str,
    folder: Path,
    endpoint: str | None,
    replay: "Replay | None",
    options: argparse.Namespace,
) -> "Repository":
    from tqdm import tqdm

    from rl_units.commands.evaluate import default_workers
    from rl_units.hub.repository import build_repository

    # Shown from the first episode on, and out of the way of the next line after the last one.
    bar = tqdm(total=protocol.n_episodes, unit="episode", delay=0.1)

    def advance(_: "Episode") -> None:
        bar.update()
        if bar.n == bar.total:
            bar.close()

    repository = build_repository(
        chosen,
        protocol,
        repo_id,
        folder,
        endpoint=endpoint,
        replay=replay,
        n_workers=options.n_workers or default_workers(protocol.n_episodes),
        report=print,
        on_episode=advance,
    )
    print_score(repository.result)
    _print_files(repository)
    return repository


def _print_files(repository: "Repository") -> None:
    width = max(map(len, repository.files))
    for name in repository.files:
        print(f"  {name:<{width}} {(repository.folder / name).stat().st_size:>12,} bytes")
