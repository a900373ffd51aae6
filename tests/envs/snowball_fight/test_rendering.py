"""What pictures of a game show."""

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snowball_fight import ONE_VS_ONE, TARGET_PRACTICE, TWO_VS_TWO, Arenas, ArenaSpec
from snowball_fight.headings import HALF_TURN, QUARTER_TURN
from snowball_fight.rendering import Renderer
from snowball_fight.rendering.painting import paint
from snowball_fight.rendering.palette import INK, TARGET_STRIPE, TEAMS, WHITE
from snowball_fight.rendering.shapes import table_of
from snowball_fight.rendering.view import Board, View
from snowball_fight.state import State

SIZE = 320
RENDERER = Renderer(ONE_VS_ONE, SIZE)


def moment(spec: ArenaSpec = ONE_VS_ONE) -> State:
    """Every agent in the middle of its home, facing the frontier, its snowball thrown and gone."""
    arenas = Arenas(spec)
    arenas.reset(0)
    state = arenas.state
    for agent in range(spec.n_agents):
        side = -1 if agent < spec.team_size else 1
        state.position[0, agent] = (1.7 + agent % spec.team_size, side * 0.3 * spec.half_length)
        state.heading[0, agent] = QUARTER_TURN if side < 0 else QUARTER_TURN + HALF_TURN
    return state


def pixel(frame: np.ndarray, spec: ArenaSpec, x: float, y: float) -> np.ndarray:
    column, row = View.of(spec, len(frame)).pixel(x, y)
    return frame[int(row), int(column)].astype(int)


def is_near(colour: np.ndarray, other: tuple[int, int, int], tolerance: int = 60) -> bool:
    return bool(np.abs(colour - np.array(other)).max() <= tolerance)


def changed(one: np.ndarray, other: np.ndarray) -> int:
    """How many pixels differ."""
    return int((one != other).any(axis=2).sum())


@pytest.mark.parametrize("spec", [ONE_VS_ONE, TWO_VS_TWO, TARGET_PRACTICE], ids=["1vs1", "2vs2", "targets"])
def test_a_picture_is_square_and_of_the_size_asked_for(spec):
    frame = Renderer(spec, SIZE).draw(moment(spec))
    assert (frame.shape, frame.dtype) == ((SIZE, SIZE, 3), np.uint8)


def test_the_same_state_gives_the_same_picture_whatever_was_drawn_before():
    state = moment()
    fresh = Renderer(ONE_VS_ONE, SIZE).draw(state)
    used = Renderer(ONE_VS_ONE, SIZE)
    arenas = Arenas(ONE_VS_ONE)
    arenas.reset(7)
    used.draw(arenas.state)
    assert np.array_equal(used.draw(state), fresh)


def test_drawing_changes_nothing_in_the_state():
    state = moment()
    before = [values.copy() for values in state]
    Renderer(ONE_VS_ONE, SIZE, show_rays=0).draw(state)
    assert all(np.array_equal(values, kept) for values, kept in zip(state, before, strict=True))


def test_a_later_picture_leaves_an_earlier_one_alone():
    renderer, state = Renderer(ONE_VS_ONE, SIZE), moment()
    first = renderer.draw(state)
    kept = first.copy()
    state.position[0, 0, 0] -= 2
    renderer.draw(state)
    assert np.array_equal(first, kept)


def test_an_arena_of_many_is_drawn_like_the_same_arena_alone():
    many, alone = Arenas(ONE_VS_ONE, 3), Arenas(ONE_VS_ONE)
    many.reset(5)
    alone.reset(7)
    assert np.array_equal(RENDERER.draw(many.state, 2), RENDERER.draw(alone.state))


def test_copies_and_pickles_of_a_renderer_draw_the_same():
    renderer, state = Renderer(ONE_VS_ONE, SIZE, show_rays=1), moment()
    frame = renderer.draw(state)
    assert np.array_equal(copy.deepcopy(renderer).draw(state), frame)
    assert np.array_equal(pickle.loads(pickle.dumps(renderer)).draw(state), frame)


@settings(max_examples=20, deadline=None)
@given(x=st.floats(-4.5, 4.5), depth=st.floats(0.6, 5.0), heading=st.integers(0, 719))
def test_an_agent_wears_its_teams_colour_where_the_state_says_it_stands(x, depth, heading):
    state = moment()
    state.position[0] = [(x, -depth), (-x, depth)]
    state.heading[0] = heading
    frame = RENDERER.draw(state)
    for agent, team in enumerate(TEAMS):
        angle = np.pi * heading / 360
        back = state.position[0, agent] - 0.75 * ONE_VS_ONE.agent_radius * np.array([np.cos(angle), np.sin(angle)])
        seen = pixel(frame, ONE_VS_ONE, *back)
        assert is_near(seen, team.coat) or is_near(seen, team.coat_shade)


def test_turning_the_game_by_180_degrees_swaps_the_teams_colours():
    state = moment()
    state.position[0] = [(1.5, -3.0), (-2.5, 1.2)]
    turned = State(*(values.copy() for values in state))
    turned.position[0] = -state.position[0, ::-1]
    turned.heading[0] = (state.heading[0, ::-1] + HALF_TURN) % (2 * HALF_TURN)
    frame, other = RENDERER.draw(state), RENDERER.draw(turned)
    for agent in range(2):
        x, y = (float(part) for part in state.position[0, agent])
        back = -0.75 * ONE_VS_ONE.agent_radius * (1 if agent == 0 else -1)
        assert is_near(pixel(frame, ONE_VS_ONE, x, y + back), TEAMS[agent].coat, 70)
        assert is_near(pixel(other, ONE_VS_ONE, -x, -y - back), TEAMS[1 - agent].coat, 70)


def test_a_flying_snowball_is_white_and_trails_behind():
    state = moment()
    without = RENDERER.draw(state)
    state.ball_position[0, 0] = (-1.5, 0.5)
    state.ball_heading[0, 0] = QUARTER_TURN
    state.ball_ticks[0, 0] = 30
    frame = RENDERER.draw(state)
    assert is_near(pixel(frame, ONE_VS_ONE, -1.5, 0.5), WHITE, 50)
    behind, ahead = (pixel(frame, ONE_VS_ONE, -1.5, 0.5 + step) for step in (-0.8, 0.8))
    assert not np.array_equal(behind, pixel(without, ONE_VS_ONE, -1.5, -0.3))
    assert np.array_equal(ahead, pixel(without, ONE_VS_ONE, -1.5, 1.3))


def test_a_splash_fades_until_the_next_throw():
    state = moment()
    without = RENDERER.draw(state)
    state.ball_position[0, 0] = (-1.5, 2.0)
    shown = []
    for cooldown in (90, 50, 5):
        state.cooldown[0, 0] = cooldown
        column, row = (int(value) for value in View.of(ONE_VS_ONE, SIZE).pixel(-1.5, 2.0))
        spot = slice(row - 12, row + 12), slice(column - 12, column + 12)
        shown.append(np.abs(RENDERER.draw(state)[spot].astype(int) - without[spot]).sum())
    assert shown[0] > shown[1] > shown[2]


@pytest.mark.parametrize("change", ["health", "cooldown", "heading", "alive", "tick"])
def test_a_picture_tells_what_a_viewer_has_to_know(change):
    state = moment()
    before = RENDERER.draw(state)
    values = getattr(state, change)
    values[(0,) if values.ndim == 1 else (0, 0)] = {
        "health": 1,
        "cooldown": 60,
        "heading": 0,
        "alive": False,
        "tick": 1500,
    }[change]
    assert changed(RENDERER.draw(state), before) > 20


def test_targets_are_striped_and_show_whether_they_glide():
    state = moment(TARGET_PRACTICE)
    state.target_position[0] = [(-3.0, 3.0), (0.0, 1.5), (3.0, 4.0)]
    state.target_course[0] = 0
    still = Renderer(TARGET_PRACTICE, SIZE).draw(state)
    assert is_near(pixel(still, TARGET_PRACTICE, 0.44, 1.5), TARGET_STRIPE)
    assert is_near(pixel(still, TARGET_PRACTICE, 0.0, 1.5), WHITE)
    state.target_course[0, 1] = 1
    assert changed(Renderer(TARGET_PRACTICE, SIZE).draw(state), still) > 3


def test_rays_are_drawn_for_the_agent_asked_for_and_can_be_turned_off():
    state, renderer = moment(), Renderer(ONE_VS_ONE, SIZE)
    plain = renderer.draw(state)
    frames = []
    for agent in range(2):
        renderer.show_rays = agent
        frames.append(renderer.draw(state))
    renderer.show_rays = None
    assert changed(frames[0], plain) > 100 < changed(frames[0], frames[1])
    assert np.array_equal(renderer.draw(state), plain)


def test_a_fallen_agent_sees_nothing():
    state = moment(TWO_VS_TWO)
    state.alive[0, 0] = False
    assert np.array_equal(Renderer(TWO_VS_TWO, SIZE, show_rays=0).draw(state), Renderer(TWO_VS_TWO, SIZE).draw(state))


def test_the_two_teams_differ_in_lightness_and_not_in_hue_alone():
    lightness = [np.dot(team.coat, (0.2126, 0.7152, 0.0722)) for team in TEAMS]
    assert abs(lightness[0] - lightness[1]) > 25


@pytest.mark.parametrize(("arguments", "sentence"), [({"size": 10}, "shows nothing"), ({"show_rays": 2}, "no agent 2")])
def test_what_cannot_be_drawn_is_refused_in_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Renderer(ONE_VS_ONE, **arguments)


def test_an_arena_that_is_not_there_is_refused():
    with pytest.raises(IndexError, match="no arena 1"):
        Renderer(ONE_VS_ONE, SIZE).draw(moment(), 1)


def painted(draw) -> np.ndarray:
    """A white picture of 100 by 100 pixels, ten pixels a metre, with what `draw` puts on a board."""
    board = Board(View(100, 10.0, 50.0, 50.0))
    draw(board)
    canvas = np.full((100, 100, 3), 255, np.uint8)
    paint(canvas, table_of(board.shapes))
    return canvas


@settings(max_examples=50, deadline=None)
@given(radius=st.floats(0.5, 4.0), x=st.floats(-0.9, 0.9), y=st.floats(-0.9, 0.9))
def test_a_disc_covers_its_area(radius, x, y):
    ink = (255 - painted(lambda board: board.disc(x, y, radius, (0, 0, 0)))[..., 0].astype(float)).sum() / 255
    assert ink == pytest.approx(np.pi * (10 * radius) ** 2, rel=0.02)


@settings(max_examples=50, deadline=None)
@given(st.tuples(*[st.floats(-4, 4)] * 4), st.floats(0.2, 0.8))
def test_a_line_covers_its_area_whichever_way_it_runs(ends, radius):
    start, end = ends[:2], ends[2:]
    length = 10 * float(np.hypot(start[0] - end[0], start[1] - end[1]))
    ink = (255 - painted(lambda board: board.line(start, end, radius, (0, 0, 0)))[..., 0].astype(float)).sum() / 255
    assert ink == pytest.approx(np.pi * (10 * radius) ** 2 + 20 * radius * length, rel=0.05, abs=1)


@settings(max_examples=50, deadline=None)
@given(middle=st.floats(-3.2, 3.2), angle=st.floats(0.3, 6.0))
def test_an_arc_lies_where_its_angles_say(middle, angle):
    canvas = painted(lambda board: board.arc((0, 0), 4.0, 0.4, middle, angle, INK))
    for offset, covered in ((0.0, True), (angle / 2 - 0.05, True), (np.pi, angle > 2 * np.pi - 0.2)):
        x, y = 40 * np.cos(middle + offset), 40 * np.sin(middle + offset)
        assert is_near(canvas[int(50 - y), int(50 + x)].astype(int), INK if covered else (255, 255, 255), 90)


def test_shapes_outside_the_picture_are_left_out():
    assert (painted(lambda board: board.disc(30, -30, 1.0, (0, 0, 0))) == 255).all()


def test_compiled_and_plain_python_paint_the_same(tmp_path):
    program = (
        "import numpy as np; from snowball_fight import ONE_VS_ONE, Arenas;"
        "from snowball_fight.rendering import Renderer;"
        "arenas = Arenas(ONE_VS_ONE); arenas.reset(3); arenas.state.ball_ticks[:] = 40;"
        "np.save({!r}, Renderer(ONE_VS_ONE, 64, 0).draw(arenas.state))"
    )
    frames = []
    for disabled in "01":
        path = str(tmp_path / f"{disabled}.npy")
        environment = {**os.environ, "NUMBA_DISABLE_JIT": disabled}
        subprocess.run([sys.executable, "-c", program.format(path)], check=True, env=environment)
        frames.append(np.load(path))
    assert np.array_equal(*frames)
