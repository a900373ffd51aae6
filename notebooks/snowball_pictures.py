"""The pictures of the Snowball Fight lesson.

Games come from the real arena, numbers from its constants, from the scripted players' ratings and from the settings of
self-play, so that a changed number changes its picture.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
from drawing import BLUE, CARD, GREEN, INK, ORANGE, blank_card, chart_card, draw_arrow, draw_box, save_pictures
from gymnasium.vector import AutoresetMode
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from rl_units.self_play.rating import expected_score
from rl_units.self_play.settings import SelfPlay
from snowball_fight import ONE_VS_ONE, Arenas, ArenaSpec
from snowball_fight.layout import (
    HOSTILE_TAGS,
    N_FORWARD_RAYS,
    OWN_FLOATS,
    SLICES,
    SNOWBALL_TAGS,
    SURROUNDINGS_TAGS,
)
from snowball_fight.opponents import RATINGS, Player, choose_actions
from snowball_fight.rendering import Renderer, palette

UNIT = "snowball_fight"

GAMES = 1_000
"""Of each pairing, half from either seat."""

GENERATIONS = 40
ANSWER = 2.5
"""How firmly a generation answers who it met: the steepness of a softmax over the three moves' results."""

_COLOUR_OF = {
    "opponent": palette.RAY_HOSTILE,
    "snowball": palette.RAY_SNOWBALL,
    "wall": palette.RAY_WALL,
    "shelter": palette.RAY_SHELTER,
    "frontier": palette.RAY_FRONTIER,
}
_FORWARD_SENSORS = {"opponents": HOSTILE_TAGS, "snowballs": SNOWBALL_TAGS, "surroundings": SURROUNDINGS_TAGS}
_WORDS = {
    "can_shoot": "can throw",
    "health": "health",
    "forward_speed": "speed ahead",
    "right_speed": "speed right",
    "home_right": "home right",
    "home_forward": "home ahead",
    "home_distance": "home distance",
}


def draw(folder: Path) -> None:
    """Draws every picture into `folder`."""
    settings = SelfPlay()
    pictures = {
        "senses": draw_senses(ONE_VS_ONE),
        "rewards": draw_rewards(ONE_VS_ONE),
        "cycles": draw_cycles(settings),
        "self_play": draw_self_play(settings),
        "ratings": draw_ratings(),
        "bridge": draw_bridge(),
    }
    save_pictures(pictures, folder, with_palette=True)


def draw_senses(spec: ArenaSpec) -> Figure:
    """Draws a moment of a game with an agent's rays, and beside it what its observation says of that moment."""
    arenas = _moment(spec)
    frame = Renderer(spec, 640, show_rays=0).draw(arenas.state)
    observation = arenas.observe()[0, 0]
    figure = Figure(figsize=(7.2, 3.7), dpi=100, facecolor=CARD)
    left = figure.add_axes((0.012, 0.02, 0.494, 0.96))
    left.imshow(frame)
    left.set_axis_off()
    axes = figure.add_axes((0.515, 0, 0.48, 1))
    axes.set(xlim=(-0.3, N_FORWARD_RAYS + 0.1), ylim=(0, 10.6))
    axes.set_axis_off()
    for row, (sensor, tags) in enumerate(_FORWARD_SENSORS.items()):
        axes.text(0, 10.05 - 2.15 * row, f"{sensor}, leftmost ray first", fontsize=9, color=INK, weight="bold")
        blocks = observation[SLICES[sensor]].reshape(N_FORWARD_RAYS, len(tags))
        _draw_rays(axes, blocks, tags, 8.75 - 2.15 * row, spec.ray_length)
    own = observation[SLICES["own"]]
    axes.text(0, 3.55, "own", fontsize=9, color=INK, weight="bold")
    for place, name in enumerate(OWN_FLOATS):
        x, y = 5.1 * (place // 4), 2.8 - 0.72 * (place % 4)
        axes.text(x, y, _WORDS[name], fontsize=9, color=INK)
        axes.text(x + 4.5, y, f"{own[place]:.2f}", fontsize=9, color=INK, ha="right", family="monospace")
    return figure


def draw_rewards(spec: ArenaSpec) -> Figure:
    """Draws what the end of a game is worth to both sides, by the time at which it comes."""
    limit = spec.max_ticks * spec.tick_seconds
    figure, axes = chart_card(2.7)
    axes.plot([0, limit], [1, 0], color=BLUE, lw=2.5, label="winner, at the end")
    axes.plot([0, limit], [-1, -1], color=ORANGE, lw=2.5, label="loser, at the end")
    axes.plot([0, limit], [spec.hit_reward] * 2, color=GREEN, lw=2, ls="--", label="for each hit, at once")
    axes.plot(limit, 0, marker="o", color=INK, ls="", label="time is up: nothing for either")
    axes.axhline(0, color=INK, lw=0.8)
    axes.set(xlim=(0, limit * 1.01), ylim=(-1.1, 1.1), xlabel="seconds of the game", ylabel="reward")
    axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(0.02, 0.27), ncols=2)
    return figure


def draw_cycles(settings: SelfPlay) -> Figure:
    """Draws two lines of rock-paper-scissors players: one answers its last self only, one its past selves as well."""
    figure = Figure(figsize=(7.2, 3.4), dpi=100, facecolor=CARD, layout="constrained")
    upper, lower = figure.subplots(2, sharex=True)
    titles = {
        "each generation answers the one before it": (upper, 1.0),
        f"half of the games are against the last {settings.window} generations": (lower, settings.latest_ratio),
    }
    for title, (axes, latest_ratio) in titles.items():
        shares = _generations(latest_ratio, settings.window)
        for move, colour, share in zip(("rock", "paper", "scissors"), (BLUE, ORANGE, GREEN), shares.T, strict=True):
            axes.plot(share, color=colour, lw=2, label=move)
        axes.set_title(title, fontsize=10, color=INK, loc="left")
        axes.set(ylim=(0, 1), xlim=(0, GENERATIONS), facecolor=CARD, ylabel="share")
        axes.set_yticks([0, 1 / 3, 1], ["0", "1/3", "1"])
        axes.axhline(1 / 3, color=INK, lw=0.8, ls=":")
        axes.spines[["top", "right"]].set_visible(False)
    lower.set_xlabel("generation")
    upper.legend(frameon=False, fontsize=9, ncols=3, loc="upper right", bbox_to_anchor=(1, 1.32))
    return figure


def draw_self_play(settings: SelfPlay) -> Figure:
    """Draws who plays whom in self-play, and where past selves come from."""
    figure, axes = blank_card(3.6)
    draw_box(axes, (17, 38), "learner", "acts and learns", BLUE)
    draw_box(axes, (83, 38), "mirror arenas", "both seats learn", GREEN)
    draw_box(axes, (83, 12), "other arenas", "one seat learns", GREEN)
    draw_box(axes, (17, 12), "past selves", f"the last {settings.window}, frozen", ORANGE)
    draw_arrow(axes, (30, 40), (70, 40), f"{settings.latest_ratio:.0%} of what it sees comes from here", (50, 42.5))
    draw_arrow(axes, (30, 35), (70, 16), f"{1 - settings.latest_ratio:.0%} from here", (59, 27.5))
    draw_arrow(axes, (30, 10), (70, 10), f"opponents, drawn anew every {settings.swap_steps:,} steps", (50, 7))
    draw_arrow(axes, (17, 32), (17, 18), f"a copy every\n{settings.save_steps:,} steps", (27, 25))
    return figure


def draw_ratings() -> Figure:
    """Draws the points that ratings predict for every pairing of the scripted players, and those that are taken."""
    figure, axes = chart_card(3.4)
    pairings = [(stronger, weaker) for weaker, stronger in combinations(Player, 2)]
    names = [(stronger.name.lower(), weaker.name.lower()) for stronger, weaker in pairings]
    predicted = [expected_score(RATINGS[stronger], RATINGS[weaker]) for stronger, weaker in names]
    taken = [_points(stronger, weaker) for stronger, weaker in pairings]
    places = np.arange(len(pairings))
    axes.hlines(places, predicted, taken, color=INK, lw=1)
    axes.plot(predicted, places, "o", color=ORANGE, mfc=CARD, mew=2, ms=8, label="predicted by the ratings")
    axes.plot(taken, places, "o", color=BLUE, ms=7, label=f"taken in {GAMES:,} games")
    axes.set_yticks(places, [" against ".join(pair) for pair in names])
    axes.set(xlim=(0.5, 1.005), xlabel="share of the points")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.grid(axis="x", alpha=0.3)
    axes.legend(frameon=False, loc="lower right")
    return figure


def draw_bridge() -> Figure:
    """Draws which program plays which part of ML-Agents' protocol, in both directions."""
    figure, axes = blank_card(3.4)
    draw_box(axes, (17, 37), "mlagents-learn", "PPO, SAC, MA-POCA", BLUE)
    draw_box(axes, (83, 37), "launcher", "many arenas at once", GREEN)
    draw_arrow(axes, (30, 39), (70, 39), "starts it like an executable; actions", (50, 41.5))
    draw_arrow(axes, (70, 34), (30, 34), "observations, rewards, ends", (50, 31.5))
    draw_box(axes, (17, 12), "your library", "SB3, Gymnasium, ...", BLUE)
    draw_box(axes, (83, 12), "Unity executable", "or a running editor", ORANGE)
    draw_arrow(axes, (30, 14), (70, 14), "actions", (50, 16.5))
    draw_arrow(axes, (70, 9), (30, 9), "observations, rewards, ends", (50, 6.5))
    for y, words in ((48, "serve: our game for their trainers"), (23, "connect: their games for our trainers")):
        axes.text(50, y, words, ha="center", va="center", fontsize=10, weight="bold", color=INK)
    return figure


def _draw_rays(axes: Axes, blocks: NDArray[np.float32], tags: tuple[str, ...], y: float, length: float) -> None:
    """A square a ray in the colour of what it met, with the metres to it."""
    for ray, block in enumerate(blocks):
        met = next((tag for tag, value in zip(tags, block, strict=True) if tag in _COLOUR_OF and value == 1), None)
        colour = tuple(part / 255 for part in _COLOUR_OF[met]) if met else "white"
        axes.add_patch(Rectangle((ray + 0.04, y), 0.9, 1.05, facecolor=colour, edgecolor=INK, lw=0.6))
        text = f"{block[-1] * length:.1f}" if met else "-"
        axes.text(ray + 0.49, y + 0.52, text, ha="center", va="center", fontsize=7.5, color="white" if met else INK)


def _moment(spec: ArenaSpec) -> Arenas:
    """The first moment in which agent 0 sees the opponent, a snowball that is not yet close, and shelters."""
    for seed in range(200):
        arenas = Arenas(spec, autoreset=AutoresetMode.DISABLED)
        arenas.reset(seed)
        actions = np.zeros((1, spec.n_agents, 4), np.int64)
        while not arenas.state.over[0]:
            if _sees_much(arenas.observe()[0, 0]):
                return arenas
            for agent in range(spec.n_agents):
                choose_actions(arenas, agent, Player.LEADER, actions)
            arenas.step(actions)
    raise RuntimeError("No game has a moment like that: the picture's conditions have to be chosen anew.")


def _sees_much(observation: NDArray[np.float32]) -> bool:
    first = {
        sensor: observation[SLICES[sensor]].reshape(N_FORWARD_RAYS, len(tags))
        for sensor, tags in _FORWARD_SENSORS.items()
    }
    balls, shelters = first["snowballs"], first["surroundings"][:, SURROUNDINGS_TAGS.index("shelter")]
    frontier = first["surroundings"][:, SURROUNDINGS_TAGS.index("frontier")]
    sees_all = first["opponents"][:, 0].any() and 1 <= shelters.sum() <= 3 and frontier.sum() >= 3
    return bool(sees_all and balls[:, 0].sum() >= 2 and balls[:, -1].min() > 0.2)


def _generations(latest_ratio: float, window: int) -> NDArray[np.float64]:
    """Shares of the three moves in every generation, `[GENERATIONS + 1, 3]`: each answers softly to who it met."""
    results = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    past = [np.array([0.5, 0.3, 0.2])]
    for _ in range(GENERATIONS):
        met = latest_ratio * past[-1] + (1 - latest_ratio) * np.mean(past[-window:], axis=0)
        weights = np.exp(ANSWER * results @ met)
        past.append(weights / weights.sum())
    return np.array(past)


def _points(player: Player, opponent: Player) -> float:
    """The share of points that a scripted player takes from another, time-outs and draws counted half."""
    arenas = Arenas(ONE_VS_ONE, GAMES)
    arenas.reset(0)
    actions = np.zeros((GAMES, 2, 4), np.int64)
    seats = np.arange(GAMES) % 2
    points = np.full(GAMES, np.nan)
    while np.isnan(points).any():
        for seat in (0, 1):
            choose_actions(arenas, seat, np.where(seats == seat, int(player), int(opponent)), actions)
        outcome = arenas.step(actions)
        ended = outcome.ended & np.isnan(points)  # only the first game of each arena counts
        points[ended] = np.where(outcome.winner < 0, 0.5, outcome.winner == seats)[ended]
    return float(points.mean())
