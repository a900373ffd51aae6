"""`load_from_hub`: download somebody's agent without running their code."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's flags."""
    parser.add_argument("--env", help="environment id", required=True)
    parser.add_argument("--algo", help="algorithm, as the Zoo names it", required=True)
    parser.add_argument("-f", "--folder", help="log folder, as for train -f", type=Path, default=Path("logs"))
    parser.add_argument("-orga", "--organization", metavar="NAME", default="sb3", help="whose agent (default: sb3)")
    parser.add_argument("-name", "--repo-name", metavar="NAME", help="name of the repository (default: <algo>-<env>)")
    parser.add_argument("--revision", default="main", help="branch, tag or commit (default: main)")
    parser.add_argument("--exp-id", type=int, default=0, help="number of the new run (default: the next free one)")
    parser.add_argument("--force", action="store_true", help="replace the run of that number")


def run(options: argparse.Namespace) -> None:
    """Downloads the agent and writes a run folder that `enjoy` and `evaluate` read, ours and the Zoo's.

    Raises:
        UserError: If the Hub fails, or the agent is refused; nothing has been written then.
    """
    from rl_units.environments import require_environment
    from rl_units.hub.client import open_hub
    from rl_units.hub.reception import receive_agent
    from rl_units.hub.repository import check_name, default_name
    from rl_units.runs import check_algorithm

    check_algorithm(options.algo)
    require_environment(options.env)
    hub = open_hub(print)
    name = check_name(options.repo_name or default_name(options.algo, options.env))
    received = receive_agent(
        hub,
        f"{options.organization}/{name}",
        options.algo,
        options.env,
        options.folder,
        exp_id=options.exp_id,
        revision=options.revision,
        force=options.force,
    )
    flags = f"--algo {options.algo} --env {options.env} -f {options.folder}"
    print(f"\nLoaded {received.snapshot.repo_id}, commit {received.snapshot.commit}, into {received.folder}")
    if received.claim is not None:
        print(f"Its card claims a mean return of {received.claim}, which nobody has verified here.")
    print(f"Watch it:  python -m rl_units enjoy {flags}\nScore it:  python -m rl_units evaluate {flags}")
