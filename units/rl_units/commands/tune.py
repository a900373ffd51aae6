"""`python -m rl_units tune`: search hyperparameters."""

import argparse
from pathlib import Path

from rl_units.commands.common import non_negative, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags; those that the Zoo has too are spelled as there."""
    parser.add_argument("--env", help="environment id", required=True)
    parser.add_argument("--algo", help="algorithm, as the Zoo names it", required=True)
    parser.add_argument("-f", "--folder", "--log-folder", help="log folder", type=Path, default=Path("logs"))
    parser.add_argument("-n", "--n-timesteps", help="steps of each trial", type=positive, required=True)
    parser.add_argument(
        "--n-trials",
        "--max-total-trials",
        help="trials in all; a resumed study goes on to it",
        type=positive,
        default=20,
    )
    parser.add_argument("-c", "-conf", "--conf-file", help="YAML file of base hyperparameters", type=Path)
    parser.add_argument("--sampler", choices=["tpe", "random"], default="tpe")
    parser.add_argument("--pruner", choices=["median", "halving", "none"], default="median")
    parser.add_argument(
        "--n-startup-trials", help="random trials before the sampler learns", type=non_negative, default=10
    )
    parser.add_argument("--n-evaluations", help="evaluations of each trial (default: one every 100k)", type=positive)
    parser.add_argument("--eval-episodes", help="episodes of each evaluation", type=positive, default=5)
    parser.add_argument("--storage", help="Optuna's URL of the study (default: an SQLite file in the log folder)")
    parser.add_argument("--study-name", help="name of the study in its storage (default: algorithm and environment)")
    parser.add_argument("--seed", help="seed of the sampler", type=non_negative, default=0)
    parser.add_argument("--workers", help="processes that share the trials", type=positive, default=1)
    parser.add_argument("-o", "--output", help="the file for train -c (default: best.yml in the log folder)", type=Path)


def run(options: argparse.Namespace) -> None:
    """Searches, then writes the best hyperparameters and the pictures and prints where they are.

    Raises:
        UserError: If there is nothing to search, the study cannot be kept, or no trial finished.
    """
    from rl_units.environments import require_environment
    from rl_units.runs import check_algorithm, file_name
    from rl_units.studies import Search, without_password
    from rl_units.tuned import base_hyperparameters, best_hyperparameters, draw_study, write_hyperparameters
    from rl_units.tuning import tune

    check_algorithm(options.algo)
    require_environment(options.env)
    base = {"n_timesteps": options.n_timesteps} | base_hyperparameters(options.algo, options.env, options.conf_file)
    name = f"{options.algo}_{file_name(options.env)}"
    folder = options.folder / "tuning" / name
    config = folder / "base.yml"
    write_hyperparameters(base, options.env, config)
    search = Search(
        algo=options.algo,
        env_id=options.env,
        config=config,
        storage=options.storage or f"sqlite:///{(folder / 'study.db').absolute()}",
        study_name=options.study_name or name,
        n_timesteps=options.n_timesteps,
        n_trials=options.n_trials,
        n_evaluations=options.n_evaluations,
        eval_episodes=options.eval_episodes,
        n_startup_trials=options.n_startup_trials,
        sampler=options.sampler,
        pruner=options.pruner,
        seed=options.seed,
    )
    place = without_password(search.storage)
    print(f"Study {search.study_name} in {place}; stop it at any time, the same command goes on.", flush=True)
    study = tune(search, n_workers=options.workers)
    best = study.best_trial
    output = options.output or folder / "best.yml"
    write_hyperparameters(best_hyperparameters(base, options.algo, best.params), options.env, output)
    print(
        f"Best of {len(study.trials)} trials is {best.number}: {best.value:.2f}", *draw_study(study, folder), sep="\n"
    )
    print(f"{output}\nTrain with it: python -m rl_units train --algo {options.algo} --env {options.env} -c {output}")
