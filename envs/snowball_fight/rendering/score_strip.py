"""The strip on top of the picture: each team's health, and the time that is left."""

import math

from snowball_fight.rendering.digits import strokes_of
from snowball_fight.rendering.palette import (
    DRIFT_DIM,
    EMPTY,
    FUR,
    INK,
    PANEL_DIM,
    SHADOW,
    TARGET_EDGE,
    TARGET_STRIPE,
    TEAMS,
    WHITE,
    Colour,
)
from snowball_fight.rendering.view import STRIP_HEIGHT, Board
from snowball_fight.spec import ArenaSpec
from snowball_fight.state import State


def draw_panel(board: Board) -> None:
    """Draws what never changes of the strip: the panel that it stands on."""
    middle, unit = _measures(board)
    half = (48.4 * unit, 3.1 * unit)
    board.box((0.2 * unit, middle - 0.3 * unit), half, half[1], SHADOW, alpha=0.4, blur=1.4 * unit)
    board.box((0.0, middle), half, half[1], WHITE, PANEL_DIM)


def draw_strip(board: Board, spec: ArenaSpec, state: State, arena: int) -> None:
    """Draws what the strip says."""
    middle, unit = _measures(board)
    for team in range(spec.n_teams):
        _draw_team(board, spec, state, arena, team)
    if spec.n_targets:
        _draw_count(board, int(state.target_hits[arena].sum()))
    seconds = math.ceil((spec.max_ticks - int(state.tick[arena])) * spec.tick_seconds - 1e-9)
    _draw_clock(board, max(seconds, 0), (0.0, middle), unit)


def _measures(board: Board) -> tuple[float, float]:
    """Where the middle of the strip lies, and a hundredth of the picture's width; both in metres."""
    view = board.view
    return (view.middle_y - view.size * STRIP_HEIGHT / 2) / view.scale, view.size / view.scale / 100


def _draw_team(board: Board, spec: ArenaSpec, state: State, arena: int, team: int) -> None:
    """A hat for every member, followed by its health; team 0 from the left, team 1 from the right."""
    middle, unit = _measures(board)
    side = -1 if team == 0 else 1
    place = side * 44.6 * unit
    for agent in range(team * spec.team_size, (team + 1) * spec.team_size):
        alive = bool(state.alive[arena, agent])
        _draw_hat(board, team, place, middle, unit, alive)
        if spec.n_teams == 2:
            health = int(state.health[arena, agent]) if alive else 0
            for hit in range(spec.hits_to_fall):
                place -= side * (3.3 if hit == 0 else 2.5) * unit
                colour: Colour = TEAMS[team].coat if hit < health else EMPTY
                board.disc(place, middle, (0.95 if hit < health else 0.5) * unit, colour)
        place -= side * 4.8 * unit


def _draw_hat(board: Board, team: int, x: float, y: float, unit: float, alive: bool) -> None:
    """A bobble hat from the side; grey for who has fallen."""
    colours = TEAMS[team]
    hat = colours.coat if alive else EMPTY
    brim = FUR if alive else PANEL_DIM
    board.line((x, y - 0.2 * unit), (x, y + 0.3 * unit), 1.45 * unit, hat, end_radius=1.05 * unit)
    board.box((x, y - 1.2 * unit), (1.85 * unit, 0.62 * unit), 0.6 * unit, SHADOW, alpha=0.6)
    board.box((x, y - 1.2 * unit), (1.72 * unit, 0.5 * unit), 0.5 * unit, brim)
    board.disc(x, y + 1.6 * unit, 0.72 * unit, SHADOW, 0.45)
    board.ball(x, y + 1.6 * unit, 0.6 * unit, WHITE, DRIFT_DIM)


def _draw_count(board: Board, count: int) -> None:
    """A target and how many were hit, at the right."""
    middle, unit = _measures(board)
    x = 44.4 * unit
    for share, colour in ((1.8, TARGET_EDGE), (1.65, TARGET_STRIPE), (1.1, WHITE), (0.6, TARGET_STRIPE)):
        board.disc(x, middle, share * unit, colour)
    for place, digit in enumerate(reversed(str(count))):
        _draw_digit(board, int(digit), (x - (5.0 + 2.6 * place) * unit, middle), unit)


def _draw_clock(board: Board, seconds: int, centre: tuple[float, float], unit: float) -> None:
    """Minutes, a colon and seconds."""
    x, y = centre
    minutes, rest = divmod(seconds, 60)
    for place, digit in ((-3.1, minutes % 10), (0.9, rest // 10), (3.5, rest % 10)):
        _draw_digit(board, digit, (x + place * unit, y), unit)
    for side in (-1, 1):
        board.disc(x - 1.1 * unit, y + side * 0.6 * unit, 0.3 * unit, INK)


def _draw_digit(board: Board, digit: int, centre: tuple[float, float], unit: float) -> None:
    """A digit around its centre."""
    width = 1.5 * unit
    left, low = centre[0] - width / 2, centre[1] - width
    for (x, y), (end_x, end_y) in strokes_of(digit):
        start, end = (left + width * x, low + width * y), (left + width * end_x, low + width * end_y)
        board.line(start, end, 0.26 * unit, INK)
