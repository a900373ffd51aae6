"""`make learning-curves`: does our DQN learn as SB3's does? Both train in turn, seed by seed, on two games.

With the default budgets this takes hours: Space Invaders most of them, the toy game some minutes. Finished trainings
are kept, and calling it again with the same budgets goes on with the next one; those of our side are done again when
the code of our DQN has changed. A figure and a table are written after each game.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from learning_curves.comparison import Comparison, report
from learning_curves.figure import draw
from learning_curves.games import GAMES, Game
from learning_curves.runs import OURS, SB3, SIDES, Plan, kept_result, run
from rl_units.files import write_text

FIGURE, TABLE, RUNS = "learning-curves.png", "learning-curves.md", "runs"


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains what has not been trained yet, then draws."""
    options = _options(arguments)
    budgets = {"toy": options.toy_steps, "atari": options.atari_steps}
    chosen = [(game, budgets[game.name]) for game in GAMES if budgets[game.name]]
    plans = [plan for game, steps in chosen for plan in _plans(game, steps, options)]
    n_kept = sum(kept_result(plan, options.out / RUNS) is not None for plan in plans)
    _say(f"{len(plans)} trainings, {n_kept} of them finished; the others can take hours. Results: {options.out}")
    comparisons = []
    for game, steps in chosen:
        comparisons.append(_compare(_plans(game, steps, options), options.out / RUNS))
        draw(comparisons, options.out / FIGURE)
        write_text(options.out / TABLE, report(comparisons))
    _say(report(comparisons))
    _say(f"Written: {options.out / FIGURE} and {options.out / TABLE}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make learning-curves", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each side, 2 or more (default: 5)")
    for name, default in (("toy", 20_000), ("atari", 100_000)):
        usage = f"budget of a training, 0 for none (default: {default:,})"
        parser.add_argument(f"--{name}-steps", type=int, default=default, help=usage)
    parser.add_argument("--threads", type=int, default=1, help="of torch (default: 1)")
    parser.add_argument("--out", type=Path, default=Path("build", "learning-curves"), help="folder of the results")
    options = parser.parse_args(arguments)
    if options.seeds < 2:
        parser.error("an interval needs 2 seeds or more")
    if not (options.toy_steps or options.atari_steps):
        parser.error("one of the games needs steps")
    return options


def _plans(game: Game, steps: int, options: argparse.Namespace) -> list[Plan]:
    """Both sides in turn, so that an unfinished series has as many of each."""
    seeds = range(1, options.seeds + 1)
    return [Plan(game, side, seed, steps, options.threads) for seed in seeds for side in SIDES]


def _compare(plans: Sequence[Plan], folder: Path) -> Comparison:
    results = [(plan, run(plan, folder, _say)) for plan in plans]
    theirs, ours = ([pair for pair in results if pair[0].side == side] for side in (SB3, OURS))
    return Comparison([plan for plan, _ in theirs], [result for _, result in theirs], [result for _, result in ours])


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
