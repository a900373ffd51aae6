"""`python -m rl_units plot`: learning curves of one or several runs."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags; those that the Zoo has too are spelled as there."""
    parser.add_argument("--env", help="environment id", required=True)
    parser.add_argument("--algo", help="algorithm, as the Zoo names it", required=True)
    parser.add_argument("-f", "--folder", help="log folder given to train -f", type=Path, default=Path("logs"))
    parser.add_argument(
        "--exp-id", help="numbers of the runs, or 'all' (default: the latest)", nargs="+", default=["0"], metavar="N"
    )
    parser.add_argument(
        "-o", "--output", help="the picture (default: learning_curve.png in the last run)", type=Path, metavar="PNG"
    )
    parser.add_argument("--window", help="training games in the rolling mean", type=int, default=100)


def run(options: argparse.Namespace) -> None:
    """Draws the curves and prints where the picture is.

    Raises:
        UserError: If a run does not exist, has finished no game yet, or the picture cannot be written.
    """
    from rl_units.environments import require_environment
    from rl_units.plots import draw_curves, read_curve

    require_environment(options.env)
    folders = _folders(options)
    curves = [read_curve(folder, options.env) for folder in folders]
    path = options.output or folders[-1] / "learning_curve.png"
    print(draw_curves(curves, options.env, path, window=options.window))


def _folders(options: argparse.Namespace) -> list[Path]:
    from rl_units.errors import RunNotFoundError
    from rl_units.runs import find_run_folder, run_folders

    if options.exp_id == ["all"]:
        numbers = sorted(run_folders(options.folder, options.algo, options.env)) or [0]
    else:
        try:
            numbers = [int(number) for number in options.exp_id]
        except ValueError as error:
            raise RunNotFoundError(f"--exp-id takes numbers of runs or 'all', not {options.exp_id}.") from error
    return [find_run_folder(options.folder, options.algo, options.env, number) for number in numbers]
