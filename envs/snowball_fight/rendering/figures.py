"""What moves: agents, their snowballs, and targets. All of it follows from the state of one moment."""

import math
from typing import Final

from snowball_fight.headings import DIRECTIONS, N_HEADINGS
from snowball_fight.rendering.palette import (
    CHEEK,
    DRIFT_BRIGHT,
    DRIFT_DIM,
    EMPTY,
    FUR,
    INK,
    SHADOW,
    SKIN,
    TARGET_EDGE,
    TARGET_STRIPE,
    TEAMS,
    WHITE,
    TeamColours,
)
from snowball_fight.rendering.view import Board
from snowball_fight.spec import ArenaSpec
from snowball_fight.state import State

_TRAIL_LENGTH: Final = 2.2
"""Metres, once a snowball has flown so far."""
_SPLASH_DROPS: Final = 9


class Body:
    """A place in the arena with its own forward and right.

    Args:
        x: Metres.
        y: Metres.
        heading: Half degrees counter-clockwise from +x.
        radius: Metres; lengths below are shares of it.
    """

    def __init__(self, x: float, y: float, heading: int, radius: float) -> None:
        self.x, self.y, self.radius = x, y, radius
        self.angle = 2 * math.pi * heading / N_HEADINGS
        self._forward = (math.cos(self.angle), math.sin(self.angle))

    def at(self, forward: float, right: float) -> tuple[float, float]:
        """The place so many radii ahead and to the right."""
        cosine, sine = self._forward
        ahead, aside = forward * self.radius, right * self.radius
        return self.x + ahead * cosine + aside * sine, self.y + ahead * sine - aside * cosine


def draw_agent(board: Board, spec: ArenaSpec, state: State, arena: int, agent: int) -> None:
    """Draws an agent where it stands, or the heap of snow under which it lies."""
    x, y = (float(value) for value in state.position[arena, agent])
    body = Body(x, y, int(state.heading[arena, agent]), spec.agent_radius)
    colours = TEAMS[agent // spec.team_size]
    if not state.alive[arena, agent]:
        _draw_fallen(board, body, colours)
        return
    waits = int(state.cooldown[arena, agent]) / spec.cooldown_ticks
    if spec.n_teams == 2:
        _draw_health(board, body, colours, int(state.health[arena, agent]), spec.hits_to_fall)
    _draw_body(board, body, colours, waits)
    _draw_head(board, body, colours)


def _draw_body(board: Board, body: Body, colours: TeamColours, waits: float) -> None:
    """Coat and mittens; the right one holds a snowball that grows until the agent can throw it."""
    x, y, radius = body.x, body.y, body.radius
    board.disc(x + 0.2 * radius, y - 0.28 * radius, radius * 1.05, SHADOW, 0.5, blur=0.4 * radius)
    for side in (-1, 1):
        board.line(body.at(0.1, side * 0.75), body.at(0.62, side * 0.74), radius * 0.24, colours.coat_shade)
    board.ball(x, y, radius * 0.96, colours.coat, colours.coat_shade)
    board.ring(x, y, radius * 0.95, 0.06 * radius, colours.hat_shade, 0.55)
    for side in (-1, 1):
        board.ball(*body.at(0.74, side * 0.72), radius * 0.25, colours.hat, colours.hat_shade)
    ready = 1 - waits
    place = body.at(1.0, 0.72)
    if waits == 0:
        board.disc(*place, radius * 0.46, WHITE, 0.9, blur=0.3 * radius)
        board.ring(*place, radius * 0.38, 0.07 * radius, INK, 0.75)
    if ready > 0.15:
        board.ball(*place, radius * 0.36 * ready, WHITE, DRIFT_DIM)


def _draw_head(board: Board, body: Body, colours: TeamColours) -> None:
    """A face in a furry hood, and a bobble hat: the eyes say where the agent looks."""
    radius = body.radius
    board.disc(*body.at(0.2, 0.0), radius * 0.64, FUR)
    board.ring(*body.at(0.2, 0.0), radius * 0.63, 0.05 * radius, SHADOW, 0.35)
    board.disc(*body.at(0.3, 0.0), radius * 0.47, SKIN)
    for side in (-1, 1):
        board.disc(*body.at(0.5, side * 0.2), radius * 0.095, INK)
        board.disc(*body.at(0.38, side * 0.33), radius * 0.1, CHEEK, 0.55)
    board.ball(*body.at(-0.12, 0.0), radius * 0.5, colours.hat, colours.hat_shade)
    board.arc((body.x, body.y), radius * 0.37, 0.14 * radius, body.angle, 1.9, FUR, 0.95)
    board.ball(*body.at(-0.22, 0.0), radius * 0.2, WHITE, DRIFT_DIM)


def _draw_health(board: Board, body: Body, colours: TeamColours, health: int, most: int) -> None:
    """A ring around the agent, in as many parts as it can take hits."""
    part = 2 * math.pi / most
    radius, thickness = body.radius * 1.36, 0.12 * body.radius
    board.ring(body.x, body.y, radius, 1.7 * thickness, WHITE, 0.85)
    for hit in range(most):
        middle = body.angle + math.pi + (hit - (most - 1) / 2) * part
        colour = colours.coat if hit < health else EMPTY
        board.arc((body.x, body.y), radius, thickness, middle, part - 0.34, colour)


def _draw_fallen(board: Board, body: Body, colours: TeamColours) -> None:
    """A heap of snow with the hat on it."""
    x, y, radius = body.x, body.y, body.radius
    board.disc(x + 0.15 * radius, y - 0.2 * radius, radius * 1.02, SHADOW, 0.35, blur=0.5 * radius)
    for angle, share in ((0.4, 0.62), (2.3, 0.66), (4.4, 0.6)):
        board.ball(
            x + math.cos(angle) * radius * 0.42,
            y + math.sin(angle) * radius * 0.42,
            radius * share,
            DRIFT_BRIGHT,
            DRIFT_DIM,
        )
    board.disc(x, y, radius * 0.62, WHITE, 0.8, blur=0.5 * radius)
    board.ball(*body.at(-0.1, 0.0), radius * 0.42, colours.hat, colours.hat_shade)
    board.arc(body.at(-0.1, 0.0), radius * 0.36, 0.12 * radius, body.angle, 2.0, FUR)
    board.ball(*body.at(-0.3, 0.0), radius * 0.19, WHITE, DRIFT_DIM)


def draw_snowball(board: Board, spec: ArenaSpec, state: State, arena: int, agent: int) -> None:
    """Draws an agent's snowball with its trail, or the splash where it ended, which fades until the next throw."""
    x, y = (float(value) for value in state.ball_position[arena, agent])
    if state.ball_ticks[arena, agent] > 0:
        _draw_flight(board, spec, state, arena, agent, x, y)
    elif state.alive[arena, agent] and state.cooldown[arena, agent] > 0:
        _draw_splash(board, spec, x, y, int(state.cooldown[arena, agent]) / spec.cooldown_ticks)


def _draw_flight(board: Board, spec: ArenaSpec, state: State, arena: int, agent: int, x: float, y: float) -> None:
    """A flying snowball: its shadow on the ground, the way it came from, itself."""
    colours = TEAMS[agent // spec.team_size]
    radius = spec.snowball_radius
    flown = (spec.flight_ticks - int(state.ball_ticks[arena, agent])) * spec.tick_seconds * spec.snowball_speed
    trail = min(flown, _TRAIL_LENGTH)
    direction_x, direction_y = (float(part) for part in DIRECTIONS[state.ball_heading[arena, agent]])
    tail = (x - direction_x * trail, y - direction_y * trail)
    board.disc(x + 0.16, y - 0.24, radius * 0.95, SHADOW, 0.5, blur=0.14)
    board.line((x, y), tail, radius * 1.0, colours.trail, 1.0, end_radius=0.05, end_alpha=0.0)
    board.line((x, y), tail, radius * 0.6, WHITE, 0.85, end_radius=0.01, end_alpha=0.0)
    board.ball(x, y, radius, WHITE, DRIFT_DIM)
    board.ring(x, y, radius, 0.05, colours.coat_shade, 0.9)


def _draw_splash(board: Board, spec: ArenaSpec, x: float, y: float, share: float) -> None:
    """Snow that bursts apart; `share` of the cool-down is left, and the splash spreads and fades with it."""
    spread = spec.snowball_radius * (2.4 - 1.2 * share)
    board.disc(x, y, spread * 1.25, WHITE, 0.75 * share, blur=spread)
    for drop in range(_SPLASH_DROPS):
        angle = 2 * math.pi * drop / _SPLASH_DROPS + 0.3
        reach = spread * (1.0 if drop % 2 else 1.45)
        place = (x + math.cos(angle) * reach, y + math.sin(angle) * reach)
        board.disc(place[0] + 0.03, place[1] - 0.05, 0.075, SHADOW, 0.35 * share)
        board.disc(*place, 0.075 if drop % 2 else 0.055, WHITE, share)


def draw_target(board: Board, spec: ArenaSpec, state: State, arena: int, target: int) -> None:
    """Draws a target: a striped disc, with arrows if it glides."""
    x, y = (float(value) for value in state.target_position[arena, target])
    radius = spec.target_radius
    board.disc(x + 0.2 * radius, y - 0.28 * radius, radius * 1.02, SHADOW, 0.5, blur=0.4 * radius)
    for share, colour in ((1.0, TARGET_STRIPE), (0.76, WHITE), (0.52, TARGET_STRIPE), (0.28, WHITE)):
        board.disc(x, y, radius * share, colour)
    board.ring(x, y, radius * 0.97, 0.06 * radius, TARGET_EDGE)
    course = int(state.target_course[arena, target])
    if course:
        for step in range(2):
            tip = x + course * radius * (1.55 + 0.3 * step)
            for side in (-1, 1):
                end = (tip - course * 0.22 * radius, y + side * 0.26 * radius)
                board.line((tip, y), end, 0.055 * radius, TARGET_EDGE, 0.8 - 0.35 * step)
