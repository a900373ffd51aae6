"""Models as another Hub's API tells of them: pure functions over JSON that strangers have written."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rl_leaderboard.rules.algorithms import algorithm_in
from rl_leaderboard.rules.sources import REPLAY
from rl_leaderboard.sources import cards
from rl_leaderboard.submissions.reception import Push

_MOST_FILES = 10_000
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LONGEST_TIME = 40  # characters


@dataclass(frozen=True)
class Listed:
    """A model.

    Attributes:
        modified: When it changed last, as the Hub says.
        private: Whether others may not see it.
        push: Its head as a push, which may say nothing about the course.
    """

    modified: datetime
    private: bool
    push: Push

    @property
    def repo_id(self) -> str:
        """owner/name."""
        return self.push.repo_id

    @property
    def version(self) -> str:
        """What tells this state of the model from others."""
        return f"{self.push.repo_id}@{self.push.sha}"


def read(entry: object, source: str, env_ids: Collection[str]) -> Listed | None:
    """A model of a list; None if it is none that could be on a board.

    Args:
        entry: What the API tells: any JSON value.
        source: The Hub.
        env_ids: The course's environments.
    """
    if not isinstance(entry, dict):
        return None
    repo_id, sha, modified = entry.get("id"), entry.get("sha"), _time(entry.get("lastModified"))
    if not isinstance(repo_id, str) or not isinstance(sha, str) or modified is None:
        return None
    described = cards.describe(entry.get("cardData"), entry.get("tags"), env_ids)
    push = Push(
        source=source,
        repo_id=repo_id,
        sha=sha,
        # Who committed to an organisation's repository is not in a list.
        student=repo_id.partition("/")[0],
        submitted_at=modified,
        claims=described.claims,
        algorithm=described.algorithm or algorithm_in(repo_id),
        library=described.library,
        has_replay=_has_replay(entry),
    )
    return Listed(modified, entry.get("private") is True, push) if push.is_acceptable else None


def _has_replay(entry: Mapping[str, Any]) -> bool:
    files = entry.get("siblings")
    some = files[:_MOST_FILES] if isinstance(files, list) else []
    return any(isinstance(file, dict) and file.get("rfilename") == REPLAY for file in some)


def _time(text: object) -> datetime | None:
    if not isinstance(text, str) or len(text) > _LONGEST_TIME:
        return None
    try:
        moment = datetime.fromisoformat(text)
        aware = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return aware if aware >= _EARLIEST else None
