"""What the README says of the judge is what the judge does."""

import contextlib
import io
import re

import pytest

from judge_tables import README, TABLES, shown
from rl_leaderboard.boards import tied
from rl_leaderboard.jobs import queue
from rl_leaderboard.judge.players.limits import PlayerLimits
from rl_leaderboard.judge.sandbox.limits import Limits
from rl_leaderboard.judge.sandbox.tiers import PROMISES, Attempt, Tier
from rl_leaderboard.judge.workers import LEASE_SECONDS
from rl_leaderboard.rules import batches, seeds

TEXT = README.read_text("utf-8")
SECTION = re.sub(r"\s+", " ", TEXT.partition("\n## The judge\n")[2].partition("\n## ")[0])


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_those_of_the_code(name):
    """`PYTHONPATH=tests python -m judge_tables` writes them."""
    assert shown(TEXT, name) == TABLES[name]()


def test_every_attempt_is_in_the_table_of_tiers_once_with_what_each_tier_promises():
    rows = [line.strip("| ").split(" | ") for line in TABLES["tiers"]().splitlines() if line.startswith("|")][2:]

    assert [row[0] for row in rows] == [attempt.value for attempt in Attempt]
    for attempt, *answers in rows:
        assert [answer == "stopped" for answer in answers] == [Attempt(attempt) in PROMISES[tier] for tier in Tier]


def test_the_numbers_are_those_of_the_code():
    sandbox, player = Limits(), PlayerLimits()
    numbers = (
        f"for {LEASE_SECONDS:.0f} seconds at a time",
        f"tried {queue.MOST_ATTEMPTS} times",
        f"up to {batches.MOST_BATCHES} batches",
        f"first {tied.MOST_ROWS:,} verified rows",
        f"{sandbox.memory_bytes // 2**30} GiB of memory",
        f"{sandbox.cpu_seconds // 60} minutes of processor time",
        f"{sandbox.scratch_bytes // 2**20} MiB of scratch files",
        f"{player.load_seconds:.0f} seconds to load",
        f"{player.batch_seconds:.0f} for the actions of one batch",
        f"{player.total_seconds / 60:.0f} minutes for all of them",
    )

    assert [number for number in numbers if number not in SECTION] == []


def test_what_is_published_of_a_season_gives_its_seeds(tmp_path, monkeypatch):
    (program,) = re.findall(
        r"```python\n(from pathlib import Path\n\nfrom rl_leaderboard.rules.*?)```", TEXT, re.DOTALL
    )
    secret = bytes(range(32))
    (tmp_path / "classroom-data").mkdir()
    (tmp_path / "classroom-data" / "secret.key").write_bytes(secret)
    monkeypatch.chdir(tmp_path)

    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(program, {})

    commitment, key, games = output.getvalue().splitlines()
    assert commitment == seeds.commitment(bytes.fromhex(key))
    assert games == str(seeds.derive_seeds(secret, "space-invaders", 1, "2026-autumn", batches.ranking_batch(1), 50))
