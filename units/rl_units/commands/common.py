"""Flags that several commands share, spelled as the Zoo spells them."""

import argparse
from pathlib import Path

from rl_units.runs import Run, check_algorithm, find_run


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags that choose a trained run and one of its models."""
    parser.add_argument("--env", help="environment id", required=True)
    parser.add_argument("--algo", help="algorithm, as the Zoo names it", required=True)
    parser.add_argument("-f", "--folder", help="log folder given to train -f", type=Path, default=Path("logs"))
    parser.add_argument("--exp-id", help="number of the run (0: latest, -1: no numbered folder)", type=int, default=0)
    parser.add_argument("--load-best", action="store_true", help="take the best model instead of the last")
    parser.add_argument("--load-checkpoint", type=int, metavar="STEPS", help="take the Zoo's checkpoint of that step")
    parser.add_argument("--load-last-checkpoint", action="store_true", help="take the Zoo's last checkpoint")


def chosen_run(options: argparse.Namespace) -> Run:
    """The run that the flags of `add_run_arguments` choose.

    Raises:
        UserError: If the environment, the algorithm or the run does not exist; each says what does.
    """
    from rl_units.environments import require_environment  # late: --help must not wait for torch

    check_algorithm(options.algo)
    require_environment(options.env)
    return find_run(
        options.folder,
        options.algo,
        options.env,
        options.exp_id,
        load_best=options.load_best,
        load_checkpoint=options.load_checkpoint,
        load_last_checkpoint=options.load_last_checkpoint,
    )
