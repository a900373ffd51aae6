"""`python -m rl_units enjoy`: watch a trained agent play."""

import argparse
import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rl_units.commands.common import add_run_arguments, chosen_run, non_negative, positive

if TYPE_CHECKING:
    from rl_units.agents.base import Agent
    from rl_units.course import Protocol
    from rl_units.episodes import Episode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the flags; those that the Zoo has too are spelled as there."""
    add_run_arguments(parser, files=True)
    parser.add_argument("-n", "--n-timesteps", help="decisions of the agent to play", type=positive, default=1000)
    parser.add_argument(
        "--seed", help="seed of the first game; the next game has the next seed", type=non_negative, default=0
    )
    parser.add_argument("--no-render", help="play without a window", action="store_true")
    parser.add_argument("--deterministic", help="no random actions, whatever the protocol says", action="store_true")


def run(options: argparse.Namespace) -> None:
    """Plays, printing every full game as it ends and the mean at the end.

    Raises:
        UserError: If the run or the agent cannot be loaded, or a window cannot be opened.
    """
    run = chosen_run(options)
    protocol = run.protocol
    if options.deterministic:
        protocol = dataclasses.replace(protocol, action_mode="deterministic", epsilon=0.0)

    from rl_units.agents import load_agent
    from rl_units.display import has_screen, silence_missing_sound_card, virtual_display

    print(f"Loading {run.model}")
    agent = load_agent(run.model, protocol, algo=run.algo)
    silence_missing_sound_card()
    if not options.no_render and not has_screen():
        print("There is no screen here, so nobody sees this game; python -m rl_units record_video films one.")
    with contextlib.nullcontext() if options.no_render else virtual_display():
        _play(agent, protocol, options)


def _play(agent: "Agent", protocol: "Protocol", options: argparse.Namespace) -> None:
    from rl_units.episodes import EpisodePlayer
    from rl_units.video import next_action

    games: list[Episode] = []
    with _window_errors():
        player = EpisodePlayer(protocol, render_mode=None if options.no_render else "human")
        player.start(0, options.seed)
    try:
        for _ in range(options.n_timesteps):
            episode = player.step(next_action(agent, player.observation))
            if episode is None:
                continue
            games.append(episode)
            print(f"Game {len(games)}: return {episode.episode_return:.2f}, length {episode.length}")
            player.start(len(games), options.seed + len(games))
    except KeyboardInterrupt:
        print("\nStopped.")
    finally:
        player.close()
    _summarise(games, options.n_timesteps)


def _summarise(games: Sequence["Episode"], n_timesteps: int) -> None:
    from rl_units.results import mean, std

    if not games:
        print(f"No game ended within {n_timesteps} decisions; play longer with -n.")
        return
    returns = [game.episode_return for game in games]
    lengths = [float(game.length) for game in games]
    print(
        f"{len(games)} games, mean return {mean(returns):.2f} +/- {std(returns):.2f}, mean length {mean(lengths):.0f}"
    )


@contextlib.contextmanager
def _window_errors() -> Iterator[None]:
    """Turns what SDL, pygame and the emulator raise when a window cannot open into a sentence."""
    from rl_units.errors import DisplayError

    try:
        yield
    except RuntimeError as error:
        raise DisplayError(f"No window can be opened: {error}. Play without one: --no-render.") from error
