"""What happened, as sentences: the same on a page, in the stream of events, and in the API."""

import json
from collections.abc import Mapping
from typing import Any

from rl_hub.web.pages.formats import visible
from rl_leaderboard.activity.feed import Activity, Kind
from rl_leaderboard.web.pages.numbers import score
from rl_units.course import Course

_SENTENCES: Mapping[Kind, str] = {
    "received": "{student} handed in {agent} for {assignment}",
    "queued": "{agent} by {student} waits for its evaluation in {assignment}",
    "running": "{agent} by {student} plays {assignment} for the judge",
    "scored": "{agent} by {student} was measured in {assignment}",
    "failed": "{agent} by {student} has no score in {assignment}",
    "certified": "{student} earned a certificate of {level}",
}
_OVER_QUOTA = "{agent} by {student} came to {assignment} when the day's quota was used up"
_LONGEST_NAME = 80


def describe(activity: Activity, course: Course) -> dict[str, Any]:
    """An activity as programs and templates read it."""
    return {
        "id": activity.id,
        "kind": activity.kind,
        "assignment": activity.assignment_id,
        "submission": activity.submission_id,
        "created_at": activity.created_at.isoformat(),
        "payload": dict(activity.payload),
        "sentence": sentence(activity, course),
        "path": None if activity.submission_id is None else f"/agents/{activity.submission_id}",
    }


def encode(activity: Activity, course: Course) -> bytes:
    """An activity as a message of an event stream."""
    data = json.dumps(describe(activity, course), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"id: {activity.id}\nevent: {activity.kind}\ndata: {data}\n\n".encode()


def sentence(activity: Activity, course: Course) -> str:
    """What happened, in words; names with nothing hidden in them."""
    payload = activity.payload
    titles = {assignment.id: assignment.title for assignment in course.assignments}
    words = {name: _shown(payload.get(name, "")) for name in ("student", "level")}
    # Whose it is stands beside it already.
    words["agent"] = _shown(str(payload.get("agent", "")).rpartition("/")[2])
    pattern = _OVER_QUOTA if payload.get("over_quota") else _SENTENCES[activity.kind]
    text = pattern.format(**words, assignment=titles.get(activity.assignment_id or "", "the course"))
    value = payload.get("score")
    if isinstance(value, int | float):
        text += f", score {score(value)}" + ("" if activity.kind == "scored" else " by its card")
    return f"{text}."


def _shown(text: object) -> str:
    name = visible(str(text))
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
