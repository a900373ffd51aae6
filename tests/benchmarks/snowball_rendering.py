"""How many pictures of a snowball fight are drawn in a second, on one core."""

import statistics
import time
from collections.abc import Iterator

from snowball_fight import ONE_VS_ONE, TARGET_PRACTICE, TWO_VS_TWO, Arenas, ArenaSpec
from snowball_fight.rendering import Renderer

SIZES = (320, 640, 960)
ROUNDS = 5
FRAMES = 60


def measure() -> Iterator[str]:
    """Frames a second of every kind of game, with and without rays, while all snowballs fly."""
    yield f"median of {ROUNDS} rounds of {FRAMES} frames, frames a second"
    yield f"{'game':<20}" + "".join(f"{size:>6}x{size:<4}" for size in SIZES)
    for name, spec, rays in (
        ("1vs1", ONE_VS_ONE, None),
        ("1vs1 with rays", ONE_VS_ONE, 0),
        ("2vs2", TWO_VS_TWO, None),
        ("target practice", TARGET_PRACTICE, None),
    ):
        yield f"{name:<20}" + "".join(f"{frames_a_second(spec, size, rays):>11,.0f}" for size in SIZES)


def frames_a_second(spec: ArenaSpec, size: int, rays: int | None) -> float:
    """Median over rounds; compiling and painting the ground come before."""
    arenas = Arenas(spec)
    arenas.reset(0)
    arenas.state.ball_ticks[:] = spec.flight_ticks // 2
    renderer = Renderer(spec, size, rays)
    renderer.draw(arenas.state)

    def once() -> float:
        start = time.perf_counter()
        for _ in range(FRAMES):
            renderer.draw(arenas.state)
        return FRAMES / (time.perf_counter() - start)

    return statistics.median(once() for _ in range(ROUNDS))
