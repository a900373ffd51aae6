"""`python -m rl_units record_video`: film a trained agent."""

import argparse
import dataclasses
from pathlib import Path

from rl_units.commands.common import add_run_arguments, chosen_run, non_negative, positive


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags; those that the Zoo has too are spelled as there."""
    add_run_arguments(parser, files=True)
    parser.add_argument("-o", "--output-folder", help="where the mp4 goes (default: videos/ in the run)", type=Path)
    parser.add_argument(
        "-n", "--n-timesteps", help="longest film, in decisions of the agent", type=positive, default=1000
    )
    parser.add_argument("--seed", help="seed of the game", type=non_negative, default=0)
    parser.add_argument("--deterministic", help="no random actions, whatever the protocol says", action="store_true")


def run(options: argparse.Namespace) -> None:
    """Films one game and prints where the film is.

    Raises:
        UserError: If the run or the agent cannot be loaded, or the film cannot be written.
    """
    run = chosen_run(options)
    protocol = run.protocol
    if options.deterministic:
        protocol = dataclasses.replace(protocol, action_mode="deterministic", epsilon=0.0)

    from rl_units.agents import load_agent
    from rl_units.video import record_replay

    print(f"Loading {run.model}")
    agent = load_agent(run.model, protocol, algo=run.algo)
    folder = options.output_folder or run.folder / "videos"
    path = folder / f"{run.algo}-{run.model.stem}-seed-{options.seed}.mp4"
    replay = record_replay(agent, protocol, path, seed=options.seed, max_steps=options.n_timesteps)
    seconds = replay.n_frames / replay.fps
    ending = "the game goes on" if replay.episode_return is None else f"return {replay.episode_return:.2f}"
    print(f"{replay.path}\n{seconds:.0f} s at {replay.fps:g} frames a second, {replay.width}x{replay.height}, {ending}")
