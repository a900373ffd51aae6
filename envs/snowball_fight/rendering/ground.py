"""What never changes in a game: snow, walls, the frontier, shelters, and firs that look on. Painted once."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from snowball_fight.rendering.painting import paint
from snowball_fight.rendering.palette import (
    BLOCK_BRIGHT,
    BLOCK_DIM,
    DRIFT_BRIGHT,
    DRIFT_DIM,
    FIR_DARK,
    FIR_LIGHT,
    FRONTIER,
    SHADOW,
    SNOW_BRIGHT,
    SNOW_DIM,
    SNOW_OUTSIDE,
    TEAMS,
    WHITE,
    Colour,
)
from snowball_fight.rendering.score_strip import draw_panel
from snowball_fight.rendering.shapes import table_of
from snowball_fight.rendering.view import WALL_THICKNESS, Board, View
from snowball_fight.spec import ArenaSpec, Shelter

_TEXTURE_SEED: Final = 24
"""The same flakes in every picture."""
_BLOCK_LENGTH: Final = 1.0
"""Of the snow blocks that walls are built of, metres, about."""
_DASH: Final = 0.5
"""Of the frontier, metres, about; the gaps are as long."""


def ground_of(spec: ArenaSpec, view: View) -> NDArray[np.uint8]:
    """The empty arena, uint8 `[size, size, 3]`."""
    rng = np.random.Generator(np.random.PCG64(_TEXTURE_SEED))
    canvas = _snow(view.size, rng)
    board = Board(view)
    _draw_inside(board, spec)
    _draw_frontier(board, spec)
    for shelter in spec.shelters:
        _draw_shelter(board, shelter)
    _draw_walls(board, spec, rng)
    _draw_firs(board, spec, rng)
    draw_panel(board)
    paint(canvas, table_of(board.shapes))
    return canvas


def _snow(size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Snow with gentle drifts, ripples of the wind, a fine grain and a few glints, uint8 `[size, size, 3]`."""
    drifts = _waves(size, 5, rng)
    ripples = np.sin(2 * math.pi * (np.linspace(0, 16, size)[:, None] + 3 * _waves(size, 4, rng)))
    bright = 0.5 * drifts + 0.3 * _waves(size, 13, rng) + 0.1 + 0.1 * ripples
    low, high = np.array(SNOW_DIM), np.array(SNOW_BRIGHT)
    colours = low + (high - low) * bright[..., None]
    colours += rng.normal(0.0, 0.9, (size, size, 1))
    colours[rng.random((size, size)) < 0.001] = WHITE
    # In this order of memory, which copies fastest.
    return np.require(np.clip(colours + 0.5, 0, 255), np.uint8, "C")


def _waves(size: int, n_cells: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Smooth noise between 0 and 1, `[size, size]`: random values on a grid, with soft passages between them."""
    values = rng.random((n_cells + 1, n_cells + 1))
    place = np.linspace(0, n_cells, size, endpoint=False)
    cell = place.astype(int)
    share = place - cell
    share = share * share * (3 - 2 * share)
    rows = values[cell] * (1 - share)[:, None] + values[cell + 1] * share[:, None]
    passed: NDArray[np.float64] = rows[:, cell] * (1 - share) + rows[:, cell + 1] * share
    return passed


def _draw_inside(board: Board, spec: ArenaSpec) -> None:
    """Darkens the ground outside, and tints each home with its team's colour."""
    width, length = spec.half_width, spec.half_length
    far = 4 * (width + length)
    board.box((0, 0), (width + far / 2, length + far / 2), 0, SNOW_OUTSIDE, alpha=0.75, hollow=far)
    board.box((0, -length / 2), (width, length / 2), 0, TEAMS[0].coat, alpha=0.0, end_alpha=0.13)
    if spec.n_teams == 2:
        board.box((0, length / 2), (width, length / 2), 0, TEAMS[1].coat, alpha=0.17, end_alpha=0.0)
    # Walls throw their shadow on the snow inside, more of it on the sides that the light comes from.
    board.box((0.08, -0.1), (width + 0.2, length + 0.2), 0.2, SHADOW, alpha=0.3, hollow=0.4, blur=0.5)


def _draw_frontier(board: Board, spec: ArenaSpec) -> None:
    """Sprays a dashed line into the snow."""
    n_dashes = 2 * round(spec.half_width / (2 * _DASH)) + 1
    pitch = 2 * spec.half_width / n_dashes
    for dash in range(n_dashes):
        x = -spec.half_width + pitch * (dash + 0.5)
        board.line((x - pitch / 4, 0), (x + pitch / 4, 0), 0.09, FRONTIER, 0.18)
        board.line((x - pitch / 4, 0), (x + pitch / 4, 0), 0.045, FRONTIER, 0.75)


def _draw_shelter(board: Board, shelter: Shelter) -> None:
    """Heaps up a mound of snow, its edge exactly where snowballs stop."""
    x, y, radius = shelter
    board.disc(x + 0.16 * radius, y - 0.22 * radius, radius * 1.08, SHADOW, 0.42, blur=0.45 * radius)
    board.ball(x, y, radius, DRIFT_BRIGHT, DRIFT_DIM)
    board.ring(x, y, radius - 0.02, 0.04, SHADOW, 0.16)
    board.disc(x - 0.08 * radius, y + 0.11 * radius, radius * 0.7, WHITE, 0.55, blur=0.6 * radius)
    board.disc(x + 0.3 * radius, y - 0.42 * radius, radius * 0.3, SHADOW, 0.13, blur=0.5 * radius)
    board.disc(x - 0.24 * radius, y + 0.34 * radius, radius * 0.3, WHITE, 0.9, blur=0.4 * radius)


def _draw_walls(board: Board, spec: ArenaSpec, rng: np.random.Generator) -> None:
    """Builds the walls of snow blocks."""
    width, length, half = spec.half_width, spec.half_length, WALL_THICKNESS / 2
    board.box((0.1, -0.14), (width + half, length + half), half, SHADOW, alpha=0.5, hollow=WALL_THICKNESS, blur=0.35)
    board.box((0, 0), (width + half, length + half), half, BLOCK_DIM, hollow=WALL_THICKNESS)
    for sign in (-1, 1):
        for centre, extent in _blocks(width):
            _draw_block(board, (centre, sign * (length + half)), (extent, half), rng)
        for centre, extent in _blocks(length):
            _draw_block(board, (sign * (width + half), centre), (half, extent), rng)
    for sign_x in (-1, 1):
        for sign_y in (-1, 1):
            x, y = sign_x * (width + half), sign_y * (length + half)
            board.disc(x + 0.05, y - 0.07, half * 1.45, SHADOW, 0.4, blur=0.2)
            board.ball(x, y, half * 1.4, BLOCK_BRIGHT, BLOCK_DIM)


def _blocks(half: float) -> list[tuple[float, float]]:
    """Middle and half length of the blocks that fill a wall of twice `half`."""
    n_blocks = round(2 * half / _BLOCK_LENGTH)
    extent = half / n_blocks
    return [(-half + extent * (2 * block + 1), extent) for block in range(n_blocks)]


def _draw_block(board: Board, centre: tuple[float, float], half: tuple[float, float], rng: np.random.Generator) -> None:
    """Lays a block, no two of quite the same white."""
    dim = 0.75 + 0.25 * rng.random()
    seam = 0.02
    board.box(centre, (half[0] - seam, half[1] - seam), 0.1, BLOCK_BRIGHT, _mixed(BLOCK_BRIGHT, BLOCK_DIM, dim))


def _draw_firs(board: Board, spec: ArenaSpec, rng: np.random.Generator) -> None:
    """Plants firs beside the walls, where there is room."""
    inner = spec.half_width + WALL_THICKNESS
    room = board.view.size / board.view.scale / 2 - inner
    if room < 0.3:
        return
    span = spec.half_length + WALL_THICKNESS
    n_firs = max(2, round(span * 2 / 1.25))
    for side in (-1, 1):
        for fir in range(n_firs):
            y = span - (fir + 0.2 + 0.6 * rng.random()) * 2 * span / n_firs
            x = side * (inner + room * (0.55 + 0.35 * rng.random()))
            _draw_fir(board, x, y, 0.38 + 0.2 * rng.random(), rng.random() * math.pi)


def _draw_fir(board: Board, x: float, y: float, radius: float, turn: float) -> None:
    """A fir from above: four tiers of branches, the upper ones lighter, with snow on their tips."""
    board.disc(x + 0.12, y - 0.16, radius * 1.05, SHADOW, 0.5, blur=0.3)
    for tier, reach in enumerate((1.0, 0.76, 0.52, 0.28)):
        colour = _mixed(FIR_DARK, FIR_LIGHT, tier / 3)
        n_branches = 13 - 2 * tier
        for branch in range(n_branches):
            angle = turn + tier * 0.4 + 2 * math.pi * branch / n_branches
            along = (math.cos(angle) * radius * reach, math.sin(angle) * radius * reach)
            tip = (x + along[0], y + along[1])
            board.line((x, y), tip, radius * reach * 0.3, colour, end_radius=radius * 0.07)
            lit = 0.25 + 0.55 * max(0.0, math.sin(angle + 0.6))
            board.line((x + along[0] * 0.8, y + along[1] * 0.8), tip, radius * 0.075, WHITE, lit)
    board.ball(x, y, radius * 0.15, WHITE, DRIFT_DIM)


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    """A colour between two others, `share` of the way to the second."""
    red, green, blue = (round(start + (end - start) * share) for start, end in zip(one, other, strict=True))
    return red, green, blue
