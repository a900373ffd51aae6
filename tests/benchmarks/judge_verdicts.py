"""From the push to the verdict: agents of a game for beginners by the dozen, and a whole verdict on an Atari game.

Everything is real: the embedded Hub, the queue, the sandbox, the evaluation, the film. The other side of the Atari
verdict is the same fifty games played by `rl_units.evaluation` without a judge around it.
"""

import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from stable_baselines3 import DQN
from stable_baselines3.common.env_util import make_atari_env
from stable_baselines3.common.vec_env import VecFrameStack

from judge_classroom import Judge, agent_zip, look, push, short_course
from rl_hub.hub import Hub
from rl_hub.settings import Settings as HubSettings
from rl_leaderboard.classroom import Classroom
from rl_leaderboard.judge import sandbox
from rl_leaderboard.judge.pipeline import Bench
from rl_leaderboard.judge.players import PlayerPool
from rl_leaderboard.judge.players.warm import in_sandbox
from rl_leaderboard.settings import Settings
from rl_units.agents import load_agent
from rl_units.course import load_course
from rl_units.environments import register_environments
from rl_units.evaluation import evaluate

AGENTS = 60
WORKERS = 2
ATARI = "SpaceInvadersNoFrameskip-v4"


def measure() -> Iterator[str]:
    """Verdicts a minute, and seconds for one."""
    tier = sandbox.available(sandbox.Tier.LANDLOCK)
    yield f"in the sandbox {tier.value}"
    with tempfile.TemporaryDirectory() as temporary:
        yield from _beginners(Path(temporary), tier)
    with tempfile.TemporaryDirectory() as temporary:
        yield from _atari(Path(temporary), tier)


def _beginners(folder: Path, tier: sandbox.Tier) -> Iterator[str]:
    classroom = _open(folder, folder / "course")
    content = [agent_zip(folder, seed=seed) for seed in range(AGENTS)]
    numbers = [push(classroom, f"student{seed}", {"ppo.zip": zipped}) for seed, zipped in enumerate(content)]
    context = multiprocessing.get_context("spawn")
    ready, go = context.Semaphore(0), context.Event()
    workers = [context.Process(target=_work, args=(folder, tier, ready, go)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    began = time.perf_counter()
    go.set()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - began
    states = [look(classroom, number).state for number in numbers]
    classroom.close()
    yield (
        f"{states.count('scored')} verdicts on beginners' agents with {WORKERS} workers: {seconds:.1f} s, "
        f"{60 * states.count('scored') / seconds:.0f} a minute"
    )


def _work(folder: Path, tier: sandbox.Tier, ready, go) -> None:
    """A worker's process: works until the queue is empty."""
    classroom = _open(folder, folder / "course")
    with PlayerPool(in_sandbox(tier)) as players:
        ready.release()
        go.wait()
        judge = Judge(Bench(classroom, players, tier.value))
        while judge.do():
            pass
    classroom.close()


def _atari(folder: Path, tier: sandbox.Tier) -> Iterator[str]:
    register_environments()
    env = VecFrameStack(make_atari_env(ATARI, n_envs=1, seed=0), 4)
    model = DQN("CnnPolicy", env, buffer_size=100, seed=0)
    path = folder / f"dqn-{ATARI}.zip"
    model.save(path, exclude=["replay_buffer"])
    env.close()
    classroom = _open(folder, None)
    with PlayerPool(in_sandbox(tier)) as players:
        judge = Judge(Bench(classroom, players, tier.value))
        number = push(classroom, "ada", {path.name: path.read_bytes()}, env_id=ATARI)
        began = time.perf_counter()
        judge.do()
        verdict = time.perf_counter() - began
    state = look(classroom, number)
    protocol = next(load_course().assignments).protocol
    began = time.perf_counter()
    evaluate(load_agent(path, protocol), protocol)
    alone = time.perf_counter() - began
    classroom.close()
    yield (
        f"verdict on {protocol.n_episodes} games of {ATARI}: {verdict:.1f} s ({state.state}); "
        f"the public seeds played without a judge: {alone:.1f} s"
    )


def _open(folder: Path, course: Path | None) -> Classroom:
    hub = Hub.open(HubSettings(folder / "data" / "hub"))
    made = None if course is None else (load_course(course) if course.exists() else short_course(course))
    return Classroom.open(Settings(folder / "data"), course=made, hub=hub)
