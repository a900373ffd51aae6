"""A Hub of 100,000 repositories: listing them, searching them, and the time until a Hub answers at all.

The real client is timed, its own parsing included. The other side is the same client's parsing alone: the entries of
the whole listing, kept in memory and made into its objects again.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from tests.hub_process import serving, start

from rl_hub import clock
from rl_hub.accounts import tokens, users
from rl_hub.database import tables
from rl_hub.hub import Hub
from rl_hub.repositories import catalog
from rl_hub.settings import Settings

REPOSITORIES = 100_000
ENVIRONMENTS = ("SpaceInvadersNoFrameskip-v4", "CartPole-v1", "LunarLander-v3", "Taxi-v3")
SEARCHES = 30
STARTS = 7

CLIENT = """
import itertools, json, sys, time
from huggingface_hub import HfApi, ModelInfo
from huggingface_hub.utils import build_hf_headers, paginate
api = HfApi()
def seconds(action):
    start = time.perf_counter()
    count = action()
    return {"seconds": time.perf_counter() - start, "count": count}
expand = ["cardData", "sha", "lastModified", "author"]
every = seconds(lambda: sum(1 for model in api.list_models(expand=expand) if model.card_data is not None))
one = seconds(lambda: sum(1 for _ in api.list_models(filter=["reinforcement-learning", sys.argv[1]], expand=expand)))
searches = [seconds(lambda: len(list(itertools.islice(api.list_models(search=word, limit=20), 20))))["seconds"]
            for word in sys.argv[2:]]
entries = list(paginate(f"{api.endpoint}/api/models", {"expand": expand}, build_hf_headers()))
parsing = seconds(lambda: len([ModelInfo(**entry) for entry in entries]))
print(json.dumps({"every": every, "one": one, "searches": searches, "parsing": parsing}))
"""


def measure() -> Iterator[str]:
    """Seconds and memory with 100,000 repositories in SQLite, then the start of that Hub."""
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / "hub"
        token = _fill(data)
        with serving(data) as hub:
            figures = _ask(hub.endpoint, token, Path(temporary))
            memory = hub.peak_memory()
        yield f"{REPOSITORIES:,} repositories, each with a card; the real client, its parsing included"
        yield f"all with card data    {figures['every']['seconds']:6.1f} s   ({figures['every']['count']:,} models)"
        yield f"  the client's parsing of them alone: {figures['parsing']['seconds']:.1f} s"
        yield f"one environment       {figures['one']['seconds']:6.1f} s   ({figures['one']['count']:,} models)"
        searches = [1000 * seconds for seconds in figures["searches"]]
        yield (
            f"first page of a search, median of {len(searches)}: {statistics.median(searches):.0f} ms, "
            f"slowest {max(searches):.0f} ms"
        )
        yield f"server's peak memory  {memory / 10**6:6.0f} MB"
        yield f"start to first answer {statistics.median(_start(data) for _ in range(STARTS)):6.2f} s (this Hub)"
        new = statistics.median(_start(Path(temporary) / f"new-{number}") for number in range(STARTS))
        yield f"start to first answer {new:6.2f} s (a new Hub, its database created)"
        bare = statistics.median(_bare_start() for _ in range(STARTS))
        yield f"  the interpreter importing uvicorn and starlette alone: {bare:.2f} s"


def _start(data: Path) -> float:
    import urllib.request

    began = time.perf_counter()
    hub = start(data)
    with urllib.request.urlopen(f"{hub.endpoint}/healthz") as answer:
        answer.read()
    seconds = time.perf_counter() - began
    hub.stop()
    return seconds


def _bare_start() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import uvicorn, starlette.applications, starlette.responses"], check=True)
    return time.perf_counter() - began


def _ask(endpoint: str, token: str, folder: Path) -> dict:
    # Words that are in many names, in few, and in none.
    words = [f"agent-{number * 3001:06d}" for number in range(SEARCHES // 3)]
    words += [f"student{number:03d}" for number in range(SEARCHES // 3)]
    words += [f"nowhere{number}" for number in range(SEARCHES // 3)]
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "HF_TOKEN": token, "HF_HOME": str(folder / "home")}
    finished = subprocess.run(
        [sys.executable, "-c", CLIENT, ENVIRONMENTS[0], *words],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(finished.stdout)


def _card(number: int, environment: str) -> dict:
    result = {
        "task": {"type": "reinforcement-learning", "name": "reinforcement-learning"},
        "dataset": {"name": environment, "type": environment},
        "metrics": [{"type": "mean_reward", "value": f"{number % 700}.50 +/- 20.00", "name": "mean_reward"}],
    }
    tags = [environment, "deep-reinforcement-learning", "reinforcement-learning", "stable-baselines3"]
    return {
        "library_name": "stable-baselines3",
        "tags": tags,
        "model-index": [{"name": "DQN", "results": [result]}],
    }


def _fill(data: Path) -> str:
    """A Hub with many repositories, written straight into its tables; returns a token."""
    hub = Hub.open(Settings(data))
    with hub.database.write() as connection:
        owners = [users.create(connection, f"student{number:03d}") for number in range(200)]
        token = tokens.create(connection, owners[0].id, "bench", "write")
        identity = tokens.identify(connection, token)
        first = catalog.create(connection, identity, "model", owners[0].name, "first", private=False)
        began = clock.now() - timedelta(days=100)
        for batch in range(0, REPOSITORIES, 5000):
            _insert(connection, owners, first.sha, began, range(batch, batch + 5000))
    hub.close()
    return token


def _insert(connection, owners, sha, began, numbers) -> None:
    repositories, cards, tags = [], [], []
    for number in numbers:
        owner, environment = owners[number % len(owners)], ENVIRONMENTS[number % len(ENVIRONMENTS)]
        modified = began + timedelta(seconds=number)
        repository_id, name = 1000 + number, f"agent-{number:06d}"
        card = _card(number, environment)
        repositories.append(
            {
                "id": repository_id,
                "kind": "model",
                "owner_id": owner.id,
                "owner_name": owner.name,
                "name": name,
                "key": f"{owner.name}/{name}",
                "private": False,
                "created_at": modified,
                "last_modified": modified,
                "sha": sha,
            }
        )
        cards.append(
            {
                "repository_id": repository_id,
                "data": json.dumps(card, separators=(",", ":")),
                "tags": json.dumps(card["tags"], separators=(",", ":")),
                "library_name": card["library_name"],
                "pipeline_tag": None,
            }
        )
        tags += [{"repository_id": repository_id, "tag": tag, "last_modified": modified} for tag in card["tags"]]
    connection.execute(tables.repositories.insert(), repositories)
    connection.execute(tables.repository_cards.insert(), cards)
    connection.execute(tables.repository_tags.insert(), tags)
