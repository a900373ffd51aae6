"""Agents on boards, for tests."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from rl_hub import clock
from rl_leaderboard.database.tables import batches
from rl_leaderboard.rules.claims import Claim
from rl_leaderboard.submissions import evaluations, reception, submissions
from rl_leaderboard.submissions.evaluations import Episode, Measurement
from rl_leaderboard.submissions.reception import Push

GAME = "SpaceInvadersNoFrameskip-v4"
ASSIGNMENT = "space-invaders"


def push(student="ada", *, mean=300.0, std=50.0, sha="a" * 40, name="invader", source="hub", minutes_ago=5.0, **more):
    """A push whose card claims a score; `mean=None` claims none."""
    problem = "" if mean is not None else "The model card claims no score."
    claim = Claim(more.pop("env_id", GAME), mean, None if mean is None else std, None, problem)
    moment = clock.now() - timedelta(minutes=minutes_ago)
    return Push(source, f"{student}/{name}", sha, student, moment, (claim,), "DQN", "stable-baselines3", **more)


def submit(classroom, *pushes) -> list[int]:
    """Takes pushes in; returns the ids of the submissions."""
    with classroom.write() as connection:
        return reception.receive(connection, classroom.course, pushes)


def measure(classroom, submission_id, returns=(300.0, 310.0, 290.0), *, batch="1", version=None, **more) -> int | None:
    """Publishes what a judge would have measured; returns the evaluation's id."""
    with classroom.write() as connection:
        submission = submissions.get(connection, submission_id)
        protocol = next(a for a in classroom.course.assignments if a.id == submission.assignment_id).protocol
        measurement = Measurement(
            protocol_id=protocol.id,
            protocol_version=version or protocol.version,
            batch=batch,
            episodes=[Episode(value, 1000 + number) for number, value in enumerate(returns)],
            interval=more.pop("interval", (min(returns), max(returns))),
            isolation=more.pop("isolation", "A: namespaces"),
            agent_sha256=more.pop("agent_sha256", "f" * 64),
            versions={"stable-baselines3": "2.9.2", "ale-py": "0.12.1"},
            finished_at=datetime.now(UTC),
            **more,
        )
        return evaluations.publish(connection, submission, measurement)


def confirm(classroom, submission_id, score, *, agent_sha256="f" * 64, season="1"):
    """Keeps that the agent of a submission has played the games of the confirmation."""
    with classroom.write() as connection:
        submission = submissions.get(connection, submission_id)
        protocol = next(a for a in classroom.course.assignments if a.id == submission.assignment_id).protocol
        row = {
            "agent_sha256": agent_sha256,
            "protocol_id": protocol.id,
            "protocol_version": protocol.version,
            "season": season,
            "batch": "confirmation",
            "submission_id": submission_id,
            "score": score,
            "games": "[]",
            "isolation": "A: namespaces",
            "finished_at": clock.now(),
        }
        connection.execute(insert(batches).values(row))
