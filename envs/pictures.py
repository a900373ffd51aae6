"""Draws the pictures of Snowball Fight's page: `python envs/pictures.py [folder]`.

Every picture is a moment of a game between scripted players, so a changed rule changes its picture.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from gymnasium.vector import AutoresetMode
from PIL import Image

from snowball_fight import ONE_VS_ONE, TARGET_PRACTICE, TWO_VS_TWO, Arenas, ArenaSpec
from snowball_fight.layout import N_FORWARD_RAYS, SLICES, SURROUNDINGS_TAGS
from snowball_fight.opponents.choosing import choose_actions
from snowball_fight.opponents.players import Player
from snowball_fight.rendering import Renderer
from snowball_fight.state import State

FOLDER = Path(__file__).parent / "snowball_fight" / "pictures"
FILM_SIZE = 320
FILM_FPS = 25
FILM_SEED = 0
FILM_FRAMES = 12 * FILM_FPS


def main(folder: Path) -> None:
    """Draws every picture into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    _save(folder / "duel.webp", Renderer(ONE_VS_ONE), _moment(ONE_VS_ONE, _is_lively))
    _save(folder / "rays.webp", Renderer(ONE_VS_ONE, show_rays=0), _moment(ONE_VS_ONE, _sees_much))
    _save(folder / "teams.webp", Renderer(TWO_VS_TWO), _moment(TWO_VS_TWO, _is_late))
    _save(folder / "targets.webp", Renderer(TARGET_PRACTICE), _moment(TARGET_PRACTICE, _has_hits))
    _film(folder / "film.webp")


def _play(spec: ArenaSpec, seed: int) -> Iterator[Arenas]:
    """An arena before every step of a game between the best scripted players, and after the last."""
    arenas = Arenas(spec, autoreset=AutoresetMode.DISABLED)
    arenas.reset(seed)
    actions = np.zeros((1, spec.n_agents, 4), np.int64)
    while not arenas.state.over[0]:
        yield arenas
        for agent in range(spec.n_agents):
            choose_actions(arenas, agent, Player.LEADER, actions)
        arenas.step(actions)
    yield arenas


def _moment(spec: ArenaSpec, fits: Callable[[Arenas], bool]) -> State:
    """The first fitting state of the first seed that has one."""
    for seed in range(200):
        for arenas in _play(spec, seed):
            if fits(arenas):
                return arenas.state
    raise RuntimeError("No game has a moment like that: the pictures' conditions have to be chosen anew.")


def _is_lively(arenas: Arenas) -> bool:
    """Both snowballs are well on their way, both players have been hit, and neither is at the edge."""
    state = arenas.state
    flies = (state.ball_ticks[0] > 0) & (state.ball_ticks[0] < arenas.spec.flight_ticks - 12)
    inside = (abs(state.position[0, :, 0]) < 4.5) & (abs(state.position[0, :, 1]) < 5.5)
    return bool((flies & inside & (state.health[0] < arenas.spec.hits_to_fall)).all())


def _sees_much(arenas: Arenas) -> bool:
    """Agent 0 sees the opponent, a snowball that is not yet close, and a shelter."""
    observation = arenas.observe()[0, 0]
    first = {
        sensor: observation[SLICES[sensor]].reshape(N_FORWARD_RAYS, -1)
        for sensor in ("opponents", "snowballs", "surroundings")
    }
    balls = first["snowballs"]
    return bool(
        first["opponents"][:, 0].any()
        and (balls[:, 0].sum() >= 2 and balls[:, -1].min() > 0.2)
        and first["surroundings"][:, SURROUNDINGS_TAGS.index("shelter")].sum() in (1, 2)
    )


def _is_late(arenas: Arenas) -> bool:
    """Somebody has fallen, and two snowballs fly."""
    state = arenas.state
    return bool(state.alive[0].sum() == 3 and (state.ball_ticks[0] > 0).sum() >= 2)


def _has_hits(arenas: Arenas) -> bool:
    """Some targets were hit, and a snowball is well on its way."""
    state = arenas.state
    return bool(state.target_hits[0].sum() >= 5 and 0 < state.ball_ticks[0, 0] < arenas.spec.flight_ticks - 15)


def _save(path: Path, renderer: Renderer, state: State) -> None:
    """Draws a state into a WebP file, a tenth as large as a PNG of so many colours."""
    Image.fromarray(renderer.draw(state)).save(path, quality=92, method=6)


def _film(path: Path) -> None:
    """Draws the end of a game into an animated WebP file, in smaller steps than agents usually decide in."""
    smooth = replace(ONE_VS_ONE, ticks_per_decision=round(1 / FILM_FPS / ONE_VS_ONE.tick_seconds))
    renderer = Renderer(smooth, FILM_SIZE)
    frames = deque((Image.fromarray(renderer.draw(arenas.state)) for arenas in _play(smooth, FILM_SEED)), FILM_FRAMES)
    durations = [1000 // FILM_FPS] * (len(frames) - 1) + [2000]
    first, *rest = frames
    first.save(path, save_all=True, append_images=rest, duration=durations, loop=0, quality=60, method=4)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
