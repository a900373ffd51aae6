"""The judge's queue: which submission is measured next, by whom, and that each is measured to its end exactly once."""

from rl_hub.database.engine import Database
from rl_hub.errors import CommandError
from rl_leaderboard.jobs.lease_table import LeaseQueue
from rl_leaderboard.jobs.queue import Claim, LostLease, Queue
from rl_leaderboard.jobs.turns import LAST_TURN, turn_of

__all__ = ["ENGINES", "LAST_TURN", "Claim", "LeaseQueue", "LostLease", "Queue", "open_queue", "turn_of"]

ENGINES = ("table", "procrastinate")
"""What a queue may be kept by: the classroom's own table, or Procrastinate on PostgreSQL."""


def open_queue(database: Database, engine: str = "table") -> Queue:
    """The queue of a classroom.

    Args:
        database: The classroom's.
        engine: One of `ENGINES`.

    Raises:
        CommandError: If there is no such engine, or it does not work with this database.
    """
    if engine not in ENGINES:
        raise CommandError(f"The judge's queue is kept by one of these: {', '.join(ENGINES)}. There is no {engine!r}.")
    if engine == "table":
        return LeaseQueue(database)
    # Only who has chosen it needs what it is made of.
    from rl_leaderboard.jobs.procrastinate_engine import ProcrastinateQueue

    return ProcrastinateQueue.open(database)
