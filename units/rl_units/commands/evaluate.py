"""`evaluate`: score a trained agent under the unit's protocol."""

import argparse
import dataclasses
import os

from rl_units.commands.common import add_run_arguments, chosen_run, non_negative, positive, print_score


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's flags."""
    add_run_arguments(parser, files=True)
    parser.add_argument(
        "--n-eval-episodes", type=positive, help="episodes (default: the protocol's; only that many score)"
    )
    parser.add_argument("--n-envs", type=positive, default=16, help="environments side by side in each process")
    parser.add_argument("--n-workers", type=non_negative, default=0, help="processes (default: one for each core)")


def run(options: argparse.Namespace) -> None:
    """Evaluates the chosen agent and writes `results.json` beside it.

    Raises:
        UserError: If the run, its model or its configuration is missing, damaged or refused.
    """
    from tqdm import tqdm

    from rl_units.agents import load_agent
    from rl_units.evaluation import evaluate

    chosen = chosen_run(options)
    protocol = chosen.protocol
    if options.n_eval_episodes:
        protocol = dataclasses.replace(protocol, n_episodes=options.n_eval_episodes)
    agent = load_agent(chosen.model, protocol, algo=chosen.algo)
    n_workers = options.n_workers or default_workers(protocol.n_episodes)
    print(f"Evaluating {chosen.model} over {protocol.n_episodes} episodes ({protocol.id} v{protocol.version})")
    with tqdm(total=protocol.n_episodes, unit="episode") as bar:
        result = evaluate(
            agent, protocol, n_envs=options.n_envs, n_workers=n_workers, on_episode=lambda _: bar.update()
        )
    path = result.save(chosen.folder)
    print_score(result)
    print(f"Written to {path}")


def default_workers(n_episodes: int) -> int:
    """One process a core, but only one for a handful of episodes: starting another takes some seconds."""
    return min(os.cpu_count() or 1, max(1, n_episodes // 8))
