"""How many shards are made into files at a time."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from rl_hub.xet import turns
from rl_hub.xet.turns import MOST_AT_ONCE, Turns


async def peak(users):
    """How many functions of these users run at the same time, when as many as possible have begun."""
    taken = Turns()
    lock, go_on = threading.Lock(), threading.Event()
    begun = []

    def make():
        with lock:
            begun.append(1)
        go_on.wait()

    tasks = [asyncio.create_task(taken.run(user, make)) for user in users]
    while not begun:
        await asyncio.sleep(0)
    # A thread of its own begins after all that were asked for before it.
    for _ in range(50):
        await asyncio.to_thread(lambda: None)
    most = len(begun)
    go_on.set()
    await asyncio.gather(*tasks)
    assert len(begun) == len(users)
    return most


@pytest.mark.parametrize(("users", "most"), [([1, 1, 1], 1), ([1, 2], 2), (range(10), MOST_AT_ONCE)])
def test_a_few_users_make_files_at_a_time_each_from_one_shard(users, most):
    assert asyncio.run(peak(users)) <= most


def test_a_function_that_fails_lets_the_next_one_run():
    def fail():
        raise ValueError("broken")

    async def both():
        taken = Turns()
        with pytest.raises(ValueError, match="broken"):
            await taken.run(1, fail)
        await taken.run(1, lambda: done.append(1))

    done = []
    asyncio.run(both())

    assert done


def test_an_application_has_its_turns_once():
    app = SimpleNamespace(state=SimpleNamespace())

    assert turns.of(app) is turns.of(app)
