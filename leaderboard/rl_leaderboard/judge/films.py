"""The judge's own replay of a game that it has measured."""

import hashlib
import os
import secrets
from collections.abc import Callable

from rl_hub.folders import sync_folder
from rl_leaderboard.classroom import Classroom
from rl_units.agents.base import Agent
from rl_units.course import Protocol
from rl_units.errors import VideoError
from rl_units.video import record_replay

MOST_STEPS = 1500
"""Decisions: 100 seconds of an Atari game."""


def film(agent: Agent, protocol: Protocol, seed: int, classroom: Classroom, tell: Callable[[str], None]) -> str | None:
    """Plays the first of the measured games again and films it.

    Returns:
        The film's SHA-256, under which it lies among the classroom's files; None if there is none.
    """
    classroom.files.mkdir(mode=0o700, exist_ok=True)
    new = classroom.files / f".{secrets.token_hex(8)}.mp4"
    try:
        replay = record_replay(agent, protocol, new, seed=seed, max_steps=MOST_STEPS)
        with new.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        new.replace(classroom.video(sha256))
        sync_folder(classroom.files)
    except VideoError as error:
        # A score is worth having without a film.
        tell(f"There is no film: {error}")
        return None
    finally:
        new.unlink(missing_ok=True)
    tell(f"Filmed {replay.n_frames} frames of the first game.")
    return sha256
