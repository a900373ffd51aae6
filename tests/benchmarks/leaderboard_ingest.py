"""10,000 cards, as another Hub lists them, read and kept: the time from fetched JSON to rows on boards.

The other side is parsing the same JSON alone.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rl_leaderboard.classroom import Classroom
from rl_leaderboard.settings import Settings
from rl_leaderboard.sources import intake, remote_models

CARDS = 10_000
PAGE = 100
ROUNDS = 3
SOURCE = "huggingface.co"


def measure() -> Iterator[str]:
    """Seconds for 10,000 new cards, and for the same ones again, which change nothing."""
    first, again, parsing = zip(*(_round() for _ in range(ROUNDS)), strict=True)
    yield f"{CARDS:,} cards in pages of {PAGE}, into SQLite; median of {ROUNDS}"
    yield f"parsed and stored     {statistics.median(first):6.2f} s"
    yield f"the same once more    {statistics.median(again):6.2f} s"
    yield f"  json.loads of them alone: {statistics.median(parsing):.2f} s"


def _round() -> tuple[float, float, float]:
    with tempfile.TemporaryDirectory() as temporary:
        classroom = Classroom.open(Settings(Path(temporary)))
        pages = list(_pages(classroom))
        first, again = _ingest(classroom, pages), _ingest(classroom, pages)
        classroom.close()
    began = time.perf_counter()
    for page in pages:
        json.loads(page)
    return first, again, time.perf_counter() - began


def _ingest(classroom: Classroom, pages: list[str]) -> float:
    """As `Reader.sweep` does, page by page."""
    env_ids = intake.environments(classroom.course)
    began = time.perf_counter()
    for page in pages:
        models = (remote_models.read(entry, SOURCE, env_ids) for entry in json.loads(page))
        intake.take_in(classroom, SOURCE, [model.push for model in models if model is not None])
    return time.perf_counter() - began


def _pages(classroom: Classroom) -> Iterator[str]:
    environments = [assignment.env_id for assignment in classroom.course.assignments]
    for start in range(0, CARDS, PAGE):
        yield json.dumps(
            [_entry(number, environments[number % len(environments)]) for number in range(start, start + PAGE)]
        )


def _entry(number: int, environment: str) -> dict:
    result = {
        "task": {"type": "reinforcement-learning", "name": "reinforcement-learning"},
        "dataset": {"name": environment, "type": environment},
        "metrics": [{"type": "mean_reward", "value": f"{number % 700}.50 +/- 20.00", "name": "mean_reward"}],
    }
    tags = ["stable-baselines3", environment, "deep-reinforcement-learning", "reinforcement-learning"]
    files = [".gitattributes", "README.md", "args.yml", "config.yml", "dqn.zip", "replay.mp4", "results.json"]
    return {
        "id": f"student{number:05d}/dqn-{environment}",
        "author": f"student{number:05d}",
        "sha": f"{number:040x}",
        "lastModified": f"2025-{1 + number % 12:02d}-{1 + number % 28:02d}T12:00:00.000Z",
        "private": False,
        "library_name": "stable-baselines3",
        "tags": [*tags, "model-index", "region:us"],
        "cardData": {
            "library_name": "stable-baselines3",
            "tags": tags,
            "model-index": [{"name": "DQN", "results": [result]}],
        },
        "siblings": [{"rfilename": name} for name in files],
    }
