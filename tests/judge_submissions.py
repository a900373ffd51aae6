"""Submissions in bulk, without agents behind them, for tests of the queue.

numbers = add_submissions(database, 100, students=10)
"""

from datetime import UTC, datetime

from sqlalchemy import insert, select

from rl_hub.database.engine import Database
from rl_leaderboard.database.tables import assignments, evaluation_jobs, submissions

ASSIGNMENT = "an-assignment-of-the-tests"


def add_submissions(database: Database, count: int, *, students: int = 1, state: str = "received") -> list[int]:
    """Inserts submissions, dealt out to students one after the other; returns their ids in this order."""
    now = datetime.now(UTC)
    with database.write() as connection:
        if connection.scalar(select(assignments.c.id).where(assignments.c.id == ASSIGNMENT)) is None:
            connection.execute(insert(assignments).values(id=ASSIGNMENT, protocol_version=1))
        before = set(connection.scalars(select(submissions.c.id)))
        rows = [
            {
                "source": "hub",
                "repo_id": f"student{number % students}/agent",
                "repo_key": f"student{number % students}/agent",
                "sha": f"{len(before) + number:040x}",
                "assignment_id": ASSIGNMENT,
                "env_id": "CartPole-v1",
                "student_name": f"student{number % students}",
                "student_key": f"student{number % students}",
                "algorithm": "PPO",
                "library": "stable-baselines3",
                "state": state,
                "submitted_at": now,
                "received_at": now,
            }
            for number in range(count)
        ]
        connection.execute(insert(submissions), rows)
        newest = connection.scalars(select(submissions.c.id).order_by(submissions.c.id)).all()
    return [number for number in newest if number not in before]


def fill_queue(database: Database, numbers: list[int], *, free_at: datetime, turn: int = 0) -> None:
    """Puts many jobs into the table at once."""
    jobs = [{"submission_id": number, "turn": turn, "asked_at": free_at, "free_at": free_at} for number in numbers]
    with database.write() as connection:
        connection.execute(insert(evaluation_jobs), jobs)
