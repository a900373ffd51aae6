"""Agents that students push to Hubs, and what the classroom has made of them, for tests of sources."""

import time

from huggingface_hub import HfApi
from sqlalchemy import select

from leaderboard_agents import ASSIGNMENT, GAME
from rl_leaderboard.boards import board
from rl_leaderboard.boards.board import Query
from rl_leaderboard.database.tables import submissions as table
from rl_units.course import load_course
from rl_units.model_card import Card, render_card
from rl_units.results import EvaluationResult

REPLAY = b"\0\0\0\x18ftypmp42"


def readme(mean=300.0, std=50.0, *, repo_id="ada/dqn-invader", replay=True) -> str:
    """The README.md that the course's own tool writes for an agent of this score."""
    protocol = next(a.protocol for a in load_course().assignments if a.id == ASSIGNMENT)
    result = EvaluationResult(
        env_id=GAME,
        algo="dqn",
        protocol_id=protocol.id,
        protocol_version=protocol.version,
        returns=(mean - std, mean + std),
        lengths=(10, 20),
        seeds=(1000, 1001),
        is_deterministic=False,
        epsilon=0.01,
        agent_sha256="0" * 64,
        evaluated_at="2026-01-01T00:00:00+00:00",
    )
    return render_card(Card(repo_id, True, None, protocol, result, "python -m rl_units train", {}, has_replay=replay))


def upload(api: HfApi, folder, repo_id="ada/dqn-invader", *, mean=300.0, std=50.0, replay=True) -> str:
    """Pushes an agent with the real client, as a student does; returns the commit's id."""
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(readme(mean, std, repo_id=repo_id, replay=replay), encoding="utf-8")
    (folder / "dqn.zip").write_bytes(f"weights {mean}".encode())
    if replay:
        (folder / "replay.mp4").write_bytes(REPLAY)
    api.create_repo(repo_id, exist_ok=True)
    return api.upload_folder(repo_id=repo_id, folder_path=folder).oid


def rows(classroom, **query):
    """The students of the board, best first, each with agent and score."""
    with classroom.read() as connection:
        page = board.read_page(connection, Query(ASSIGNMENT, limit=100, **query))
    return [(row.student, row.agent, row.score) for row in page.rows]


def kept(classroom):
    """Every submission's row, oldest first."""
    with classroom.read() as connection:
        return connection.execute(select(table).order_by(table.c.id)).all()


def eventually(question, expected, seconds=10.0):
    """Waits until a question has the expected answer; returns how many seconds that took."""
    began = time.monotonic()
    while (answer := question()) != expected:
        assert time.monotonic() - began < seconds, f"it is still {answer!r}, not {expected!r}"
        time.sleep(0.01)
    return time.monotonic() - began
