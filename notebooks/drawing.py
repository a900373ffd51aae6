"""What the pictures of all lessons share: a card, colours, boxes and arrows."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from rl_units.files import atomic_path

# Okabe and Ito's colours: told apart by colour-blind readers too.
BLUE, ORANGE, GREEN, INK = "#0072b2", "#d55e00", "#009e73", "#222222"
CARD = "#faf8f3"  # a light card with dark text can be read on a light page and on a dark one

_COLOURS = 255  # of a picture in a palette of its own
_ROUNDS = 3  # in which the palette is fitted to the picture


def save_pictures(pictures: Mapping[str, Figure], folder: Path, *, with_palette: bool = False) -> None:
    """Saves each figure as `<name>.png` in `folder`, and says so.

    Args:
        pictures: Name to figure.
        folder: Where they go.
        with_palette: Whether each picture gets a palette of its own, which takes a third of the bytes.
    """
    for name, figure in pictures.items():
        with atomic_path(folder / f"{name}.png") as path:
            figure.savefig(path, format="png")
            if with_palette:
                method, dither = Image.Quantize.MAXCOVERAGE, Image.Dither.NONE
                reduced = Image.open(path).convert("RGB").quantize(_COLOURS, method, kmeans=_ROUNDS, dither=dither)
                reduced.save(path, format="png", optimize=True)
        print(folder / f"{name}.png")


def blank_card(height: float) -> tuple[Figure, Axes]:
    """A card of 7.2 by `height` inches without axes, 100 units wide, on which boxes and arrows are drawn."""
    figure = Figure(figsize=(7.2, height), dpi=100, facecolor=CARD)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 100), ylim=(0, 50))
    axes.set_axis_off()
    return figure, axes


def chart_card(height: float) -> tuple[Figure, Axes]:
    """A card of 7.2 by `height` inches with one chart."""
    figure = Figure(figsize=(7.2, height), dpi=100, facecolor=CARD, layout="constrained")
    axes = figure.add_subplot(facecolor=CARD)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def draw_box(axes: Axes, centre: tuple[float, float], name: str, note: str, colour: str) -> None:
    """A box with a name and a note below it."""
    x, y = centre
    axes.add_patch(
        FancyBboxPatch((x - 11, y - 4.5), 22, 9, boxstyle="round,pad=1.2", facecolor="white", edgecolor=colour, lw=2)
    )
    axes.text(x, y + 1.6, name, ha="center", va="center", fontsize=12, weight="bold", color=colour)
    axes.text(x, y - 2.6, note, ha="center", va="center", fontsize=9, color=INK)


def draw_arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], text: str, place: tuple[float, float]
) -> None:
    """An arrow, and what it says at its own place."""
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.4})
    axes.text(*place, text, ha="center", va="center", fontsize=9, color=INK)
