"""Flags that several commands share, spelled as the Zoo spells them."""

import argparse
from pathlib import Path

from rl_units.course import load_course
from rl_units.errors import RunNotFoundError
from rl_units.results import EvaluationResult
from rl_units.runs import Run, check_algorithm, check_statistics, find_run


def add_run_arguments(parser: argparse.ArgumentParser, *, files: bool = False) -> None:
    """Declares the flags that choose a trained run and one of its models.

    Args:
        parser: Gets the flags.
        files: Whether an agent's file may be named in place of a run.
    """
    parser.add_argument("--env", help="environment id", required=True)
    parser.add_argument("--algo", help="algorithm, as the Zoo names it", required=True)
    parser.add_argument("-f", "--folder", help="log folder given to train -f", type=Path, default=Path("logs"))
    parser.add_argument("--exp-id", help="number of the run (0: latest, -1: no numbered folder)", type=int, default=0)
    parser.add_argument("--load-best", action="store_true", help="take the best model instead of the last")
    parser.add_argument("--load-checkpoint", type=int, metavar="STEPS", help="take the Zoo's checkpoint of that step")
    parser.add_argument("--load-last-checkpoint", action="store_true", help="take the Zoo's last checkpoint")
    if files:
        parser.add_argument(
            "--model", metavar="FILE", help="take this agent, with --algo mlagents an .onnx of ML-Agents", type=Path
        )


def chosen_run(options: argparse.Namespace) -> Run:
    """The run that the flags of `add_run_arguments` choose; a file that they name is the model of one without settings.

    Raises:
        UserError: If the environment, the algorithm, the run or the file does not exist, each says what does; or if the
            run's normalisation statistics are missing.
    """
    from rl_units.agents.mlagents_agent import MLAGENTS  # late: --help must not wait for torch
    from rl_units.environments import require_environment

    model: Path | None = getattr(options, "model", None)
    if options.algo != MLAGENTS:
        check_algorithm(options.algo)
    elif model is None:
        raise RunNotFoundError(
            "A run of ML-Agents lies in no folder of the Zoo. Score and film its network by its path, for example "
            "evaluate --model results/my-run/SnowballFight.onnx; upload it by python -m mlagents_bridge push."
        )
    require_environment(options.env)
    if model is not None:
        if not model.is_file():
            what = "is a folder" if model.is_dir() else "does not exist"
            raise RunNotFoundError(f"{model} {what}: give --model the path of an agent's file.")
        return Run(options.algo, options.env, model.parent, model)
    run = find_run(
        options.folder,
        options.algo,
        options.env,
        options.exp_id,
        load_best=options.load_best,
        load_checkpoint=options.load_checkpoint,
        load_last_checkpoint=options.load_last_checkpoint,
    )
    check_statistics(run.config, run.has_statistics, str(run.folder))
    return run


def add_classroom_argument(parser: argparse.ArgumentParser) -> None:
    """Declares the flag that says which classroom is asked."""
    parser.add_argument(
        "--classroom", metavar="URL", help="address of the classroom (default: RL_CLASSROOM, else on this machine)"
    )


def positive(text: str) -> int:
    """Type of a flag that takes a whole number from 1.

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    return _at_least(1, text)


def non_negative(text: str) -> int:
    """Type of a flag that takes a whole number from 0; raises as `positive`."""
    return _at_least(0, text)


def _whole(text: str) -> int:
    """A whole number, also written as the Zoo's files write it: `1e7`."""
    try:
        return int(text)
    except ValueError:
        number = float(text)
        if not number.is_integer():
            raise
        return int(number)


def _at_least(smallest: int, text: str) -> int:
    try:
        number = _whole(text)
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from error
    if number < smallest:
        raise argparse.ArgumentTypeError(f"must be at least {smallest}, not {number}")
    return number


def print_score(result: EvaluationResult) -> None:
    """Prints mean, std and score, and, where the course has a threshold, whether it is reached.

    A few episodes decide nothing, so there is no verdict before the protocol's number of them.
    """
    print(f"Mean reward: {result.mean_reward:.2f} +/- {result.std_reward:.2f} over {result.n_episodes} episodes")
    print(f"Score (mean - std): {result.score:.2f}")
    assignment = load_course().assignment_for(result.env_id)
    if assignment is None:
        print(f"No assignment of the course is played in {result.env_id}.")
    if assignment is None or assignment.threshold is None:
        return
    needed = assignment.protocol.n_episodes
    if result.n_episodes < needed:
        verdict = f"decided over {needed} episodes"
    else:
        verdict = "reached" if assignment.passed_by(result.score) else "not reached yet"
    print(f"Threshold of {assignment.title}: {assignment.threshold:g}, {verdict}")
