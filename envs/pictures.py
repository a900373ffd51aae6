"""Draws the pictures of Snowball Fight's page: `python envs/pictures.py [--agent FILE] [folder]`.

Every picture is a moment of a game between scripted players, so a changed rule changes its picture. The film is drawn
when an agent is given, the saved model of a run of the unit's recipe: it plays against whom it was trained with.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from PIL import Image

from rl_units.agents import load_agent
from rl_units.course import load_course
from snowball_fight import ONE_VS_ONE, TARGET_PRACTICE, TWO_VS_TWO, Arenas, ArenaSpec
from snowball_fight.layout import N_FORWARD_RAYS, SLICES, SURROUNDINGS_TAGS
from snowball_fight.opponents.choosing import choose_actions
from snowball_fight.opponents.players import Player
from snowball_fight.rendering import Renderer
from snowball_fight.state import State

Act = Callable[[NDArray[np.float32]], NDArray[np.int64]]

FOLDER = Path(__file__).parent / "snowball_fight" / "pictures"
FILM_SIZE = 320
FILM_FPS = 25
FILM_SEEDS = (0, 1)
FILM_OPPONENT = Player.AIM_AND_SHOOT


def main() -> None:
    """Draws every picture into a folder, and the film when there is an agent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--agent", type=Path, help="the saved model that plays in the film")
    arguments = parser.parse_args()
    _draw_pictures(arguments.folder)
    if arguments.agent:
        _film(arguments.folder / "film.webp", _act_of(arguments.agent))


def _draw_pictures(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _save(folder / "duel.webp", Renderer(ONE_VS_ONE), _moment(ONE_VS_ONE, _is_lively))
    _save(folder / "rays.webp", Renderer(ONE_VS_ONE, show_rays=0), _moment(ONE_VS_ONE, _sees_much))
    _save(folder / "teams.webp", Renderer(TWO_VS_TWO), _moment(TWO_VS_TWO, _is_late))
    _save(folder / "targets.webp", Renderer(TARGET_PRACTICE), _moment(TARGET_PRACTICE, _has_hits))


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


def _act_of(model: Path) -> Act:
    """How a saved agent of the unit acts."""
    assignment = load_course().assignment_for("SnowballFight-v0")
    assert assignment is not None  # noqa: S101 # the unit is part of the course
    return load_agent(model, assignment.protocol).act


def _duel(act: Act, seed: int) -> Iterator[State]:
    """The state after every tick of a game that the agent plays from the blue seat, deciding as often as always."""
    arenas = Arenas(replace(ONE_VS_ONE, ticks_per_decision=1), autoreset=AutoresetMode.DISABLED)
    observations = arenas.reset(seed)
    actions = np.zeros((1, 2, 4), np.int64)
    while not arenas.state.over[0]:
        if arenas.state.tick[0] % ONE_VS_ONE.ticks_per_decision == 0:
            actions[:, 0] = act(observations[:, 0])
            choose_actions(arenas, 1, FILM_OPPONENT, actions)
        observations = arenas.step(actions).observations
        yield arenas.state


def _film(path: Path, act: Act) -> None:
    """Draws some games into an animated WebP file; the last picture of each stays for a while."""
    renderer = Renderer(ONE_VS_ONE, FILM_SIZE)
    ticks_per_frame = round(1 / FILM_FPS / ONE_VS_ONE.tick_seconds)
    frames, durations = [], []
    for seed in FILM_SEEDS:
        for tick, state in enumerate(_duel(act, seed)):
            if tick % ticks_per_frame == 0 or state.over[0]:
                frames.append(Image.fromarray(renderer.draw(state)))
                durations.append(1500 if state.over[0] else 1000 // FILM_FPS)
    first, *rest = frames
    first.save(path, save_all=True, append_images=rest, duration=durations, loop=0, quality=45, method=4)


if __name__ == "__main__":
    main()
