"""Entries of the audit log as sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rl_leaderboard.audit.log import Entry

_SENTENCES = {
    "board.change": "changed the settings of the board {subject}",
    "board.freeze": "froze the board {subject}",
    "board.rejudge": "asked for the whole board {subject} to be judged again",
    "board.thaw": "let the board {subject} move again",
    "certificate.allow": "allowed another certificate after the {subject}",
    "certificate.revoke": "revoked the {subject}",
    "class.archive": "archived the class",
    "class.create": "made the class {subject}",
    "class.deadlines": "changed deadlines",
    "class.invite": "made an invitation for {subject}",
    "class.join": "joined as a {subject}",
    "class.leave": "left the class",
    "class.remove": "removed {subject}",
    "class.rename": "renamed the class to {subject}",
    "class.restore": "brought the class back",
    "class.revoke": "revoked an invitation for {subject}",
    "class.role": "changed what {subject} is in the class",
    "person.role": "changed what {subject} is on the site",
    "submission.rejudge": "asked for {subject} to be judged again",
    "submission.restore": "took the retraction of {subject} back",
    "submission.retract": "retracted {subject}",
    "webhook.create": "made a webhook to {subject}",
    "webhook.delete": "deleted the webhook to {subject}",
}
# What a decision is about may name a student who goes by a pseudonym, and so may a certificate.
_NAMELESS = frozenset({"counting", "later", "others", "queued", "quota_per_day", "reason"})


@dataclass(frozen=True)
class Told:
    """A decision as every teacher of the site may read it, without names of students.

    Attributes:
        entry: The decision.
        sentence: What was done, without what it was done to if that is a submission or a certificate.
        agent_id: The submission that it is about, if it is about one.
        details: What else is worth knowing.
    """

    entry: Entry
    sentence: str
    agent_id: int | None
    details: Mapping[str, Any]


def tell(entry: Entry) -> Told:
    """A decision without names of students."""
    agent_id = entry.details.get("submission") if entry.action.startswith("submission.") else None
    kind = entry.action.partition(".")[0]
    subject = {"certificate": "certificate of a student", "submission": f"agent {agent_id}"}.get(kind, entry.subject)
    details = {name: value for name, value in entry.details.items() if name in _NAMELESS}
    return Told(entry, _say(entry.action, subject), agent_id, details)


def sentence(entry: Entry) -> str:
    """What was done, as the rest of a sentence that begins with who did it."""
    return _say(entry.action, entry.subject)


def _say(action: str, subject: str) -> str:
    return _SENTENCES.get(action, "{action}: {subject}").format(action=action, subject=subject)


def moment(value: datetime) -> str:
    """A moment in UTC as the log's details write it: 2026-11-30 23:59 UTC."""
    return f"{value:%Y-%m-%d %H:%M} UTC"
