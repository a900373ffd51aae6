"""`train`: the Zoo's training, with the unit's hyperparameters, progress, checkpoints and true resume."""

import argparse
import dataclasses
import importlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from rl_units.commands.common import positive
from rl_units.course import load_course
from rl_units.errors import CheckpointError, ConfigError, StorageError, UserError
from rl_units.runs import check_algorithm, file_name, find_run_folder, run_folders
from rl_units.self_play.settings import ENV_ID, SelfPlay, load_settings
from rl_units.yaml_files import read_yaml

if TYPE_CHECKING:
    from rl_units.training.plan import Outcome, Plan

PASSES_FLAGS_ON = True
"""Flags that are not declared here go to `rl_zoo3.train` as they are."""

_SETTINGS_FLAGS = {"-params", "--hyperparams"}
"""Flags of the Zoo with which hyperparameters are changed."""

CHECKPOINT_FREQUENCY = 25_000
"""Steps; about three minutes of DQN on Atari on two CPU cores."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags that are ours or that we look at; the Zoo's others are passed on."""
    parser.epilog = "Every other flag of rl_zoo3.train works too and is passed on; see python -m rl_zoo3.train -h."
    parser.add_argument("--env", help="environment id", required=True)
    parser.add_argument("--algo", help="algorithm, as the Zoo names it", required=True)
    parser.add_argument("-f", "--log-folder", help="where runs are kept", type=Path, default=Path("logs"))
    parser.add_argument(
        "-c", "-conf", "--conf-file", help="hyperparameter file (default: the unit's, else the Zoo's)", metavar="FILE"
    )
    parser.add_argument("-n", "--n-timesteps", help="steps to train (default: the file's)", type=positive)
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the latest run, or the one of --exp-id; runs of your own only: their settings are evaluated",
    )
    parser.add_argument("--exp-id", help="number of the run to resume (0: latest)", type=int, default=0)
    parser.add_argument(
        "--checkpoint-freq",
        help=f"steps between two checkpoints (default: {CHECKPOINT_FREQUENCY:,})",
        type=positive,
        default=CHECKPOINT_FREQUENCY,
    )
    _add_self_play_arguments(parser)
    parser.add_argument(
        "--reference", action="store_true", help="on Atari, SB3's own DQN instead of ours, which learns the same"
    )
    parser.add_argument("--gym-packages", nargs="+", default=[], help="packages that register further environments")
    parser.add_argument(
        "--num-threads", help="CPU threads for torch, all the time (default: the fastest, by timing)", type=positive
    )
    parser.add_argument("--no-progress", action="store_true", help="no progress bar")
    parser.add_argument("--verbose", help="1: also the Zoo's tables (default: 0)", type=int, default=0)


def _add_self_play_arguments(parser: argparse.ArgumentParser) -> None:
    defaults = SelfPlay()
    group = parser.add_argument_group("self-play, in Snowball Fight")
    group.add_argument("--self-play", action="store_true", help="learn against the agent itself and its past selves")
    for name, meaning in (
        ("window", "past selves that are kept"),
        ("save-steps", "steps between two past selves"),
        ("swap-steps", "steps after which past selves are drawn anew"),
        ("rating-steps", "steps between two ratings against the fixed opponents"),
    ):
        default = getattr(defaults, name.replace("-", "_"))
        group.add_argument(f"--{name}", help=f"{meaning} (default: {default:,})", type=positive, default=default)
    group.add_argument(
        "--latest-ratio",
        help=f"share of the experience that is against the agent as it is now (default: {defaults.latest_ratio})",
        type=float,
        default=defaults.latest_ratio,
    )


def _self_play(options: argparse.Namespace) -> SelfPlay | None:
    if not options.self_play:
        return None
    if options.env != ENV_ID:
        raise ConfigError(f"Self-play is for {ENV_ID}, where two agents meet; in {options.env} an agent plays alone.")
    return SelfPlay(**{field.name: getattr(options, field.name) for field in dataclasses.fields(SelfPlay)})


def run(options: argparse.Namespace) -> None:
    """Trains, or resumes a run.

    Raises:
        UserError: If anything asked for does not exist, a checkpoint does not fit, the disk is full, or training was
            stopped before its end; the last two can be resumed.
    """
    from rl_units.environments import require_environment
    from rl_units.training.experiment import train

    check_algorithm(options.algo)
    for package in options.gym_packages:
        _import_package(package)
    require_environment(options.env)
    plan = _resumed_plan(options) if options.resume else _new_plan(options)
    _note_other_game(options.env)
    try:
        outcome = train(plan)
    except StorageError as error:
        raise StorageError(f"{error} A run that had begun goes on with --resume.") from error
    _report(outcome, options)


def _note_other_game(env_id: str) -> None:
    """Says so where somebody trains a game that the course does not score; its names are easily confused."""
    from rl_units.environments import is_atari

    course = load_course()
    if is_atari(env_id) and course.assignment_for(env_id) is None:
        known = ", ".join(a.env_id for a in course.assignments if is_atari(a.env_id))
        print(f"Note: no assignment of the course is played in {env_id}. Those that are: {known}")


def _new_plan(options: argparse.Namespace) -> "Plan":
    from rl_units.environments import is_atari
    from rl_units.training.plan import Plan

    arguments = ["--algo", options.algo, "--env", options.env, "-f", str(options.log_folder)]
    configuration = options.conf_file or load_course().hyperparameters_for(options.algo, options.env)
    if configuration is not None:
        _check_configuration(str(configuration), options.env)
        arguments += ["--conf-file", str(configuration)]
    return Plan(
        arguments=(*arguments, *_passed_on(options)),
        log_folder=options.log_folder,
        checkpoint_frequency=options.checkpoint_freq,
        times_threads=options.num_threads is None,
        shows_progress=not options.no_progress,
        self_play=_self_play(options),
        fast_dqn=options.algo == "dqn" and is_atari(options.env) and not options.reference,
    )


def _resumed_plan(options: argparse.Namespace) -> "Plan":
    from rl_units.training.checkpoint import checkpoint_folder, locked_run, read_checkpoint
    from rl_units.training.experiment import kept_configuration
    from rl_units.training.plan import Plan

    if options.conf_file is not None:
        raise ConfigError("A resumed run keeps its hyperparameters: leave out -c, or begin a new run without --resume.")
    if not _SETTINGS_FLAGS.isdisjoint(options.rest):
        raise ConfigError(
            "A resumed run keeps its hyperparameters: leave out -params, or begin a new run without --resume."
        )
    if options.reference:
        raise ConfigError("A resumed run keeps its algorithm: leave out --reference, or begin a new run.")
    folder = _folder_to_resume(options)
    with locked_run(folder):
        checkpoint = read_checkpoint(checkpoint_folder(folder))
    if (checkpoint.algo, checkpoint.env_id) != (options.algo, options.env):
        raise CheckpointError(
            f"The checkpoint in {folder} is of {checkpoint.algo} on {checkpoint.env_id}. To resume it, use "
            f"--algo {checkpoint.algo} --env {checkpoint.env_id}."
        )
    budget = options.n_timesteps or checkpoint.total_timesteps
    is_saved = (folder / f"{file_name(options.env)}.zip").is_file()  # else its last save failed, and is made up for
    if checkpoint.num_timesteps >= budget and is_saved:
        raise CheckpointError(
            f"The run in {folder} has done its {checkpoint.num_timesteps:,} steps. "
            "To train it further, add -n with a larger number."
        )
    print(f"Resuming {folder} at step {checkpoint.num_timesteps:,} of {budget:,}")
    configuration = kept_configuration(folder, options.env)
    kept = ("--conf-file", str(configuration)) if configuration.is_file() else ()
    return Plan(
        arguments=(*checkpoint.arguments, *kept, *_passed_on(options)),
        log_folder=options.log_folder,
        checkpoint_frequency=options.checkpoint_freq,
        run_folder=folder,
        checkpoint=checkpoint,
        times_threads=options.num_threads is None and "--num-threads" not in checkpoint.arguments,
        shows_progress=not options.no_progress,
        self_play=load_settings(folder),
        fast_dqn=checkpoint.model == "FastDQN",
    )


def _folder_to_resume(options: argparse.Namespace) -> Path:
    """The run of `--exp-id`, or the newest that has a checkpoint; without any, the newest, which says why not."""
    from rl_units.training.checkpoint import has_checkpoint

    if options.exp_id == 0:
        runs = run_folders(options.log_folder, options.algo, options.env)
        for number in sorted(runs, reverse=True):
            if has_checkpoint(runs[number]):
                return runs[number]
    return find_run_folder(options.log_folder, options.algo, options.env, options.exp_id)


def _passed_on(options: argparse.Namespace) -> list[str]:
    """Flags for the Zoo; where one stands twice, its parser takes the last."""
    arguments = ["--verbose", str(options.verbose)]
    if options.n_timesteps is not None:
        arguments += ["-n", str(options.n_timesteps)]
    if options.num_threads is not None:
        arguments += ["--num-threads", str(options.num_threads)]
    if options.gym_packages:
        arguments += ["--gym-packages", *options.gym_packages]
    return [*arguments, *options.rest]


def _import_package(name: str) -> None:
    try:
        importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(f"--gym-packages {name} cannot be imported: {error}.") from error


def _check_configuration(name: str, env_id: str) -> None:
    """Refuses a file that the Zoo would stumble over; a Python file or module is the student's own code."""
    from rl_units.environments import is_atari

    if not name.endswith((".yml", ".yaml")):
        return
    document = read_yaml(Path(name))
    accepted = [env_id, "atari", "default"] if is_atari(env_id) else [env_id, "default"]
    found = next((key for key in accepted if key in document), None)
    if found is None:
        raise ConfigError(f"{name} has no hyperparameters for {env_id}; it has: {', '.join(sorted(document))}.")
    if not isinstance(document[found], dict):
        raise ConfigError(f"{name}: {found} must be a mapping of hyperparameters to values.")


def _report(outcome: "Outcome", options: argparse.Namespace) -> None:
    flags = shlex.join(["--algo", options.algo, "--env", options.env, "-f", str(options.log_folder)])
    if outcome.stopped:
        resume = (
            f"The checkpoint is of step {outcome.resumable_at:,}. Go on with:\n"
            f"  python -m rl_units train --resume {flags}"
            if outcome.resumable_at is not None
            else "The model is saved, but there is no checkpoint to resume from."
        )
        raise UserError(f"Stopped at step {outcome.num_timesteps:,}. {resume}")
    print(f"Trained {outcome.num_timesteps:,} steps: {outcome.run_folder}")
    print(f"Score it:  python -m rl_units evaluate {flags}")
    print(f"Watch it:  python -m rl_units record_video {flags}")
