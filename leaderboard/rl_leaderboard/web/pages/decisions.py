"""Entries of the audit log as sentences."""

from datetime import datetime

from rl_leaderboard.audit.log import Entry

_SENTENCES = {
    "board.change": "changed the settings of the board {subject}",
    "board.freeze": "froze the board {subject}",
    "board.rejudge": "asked for the whole board {subject} to be judged again",
    "board.thaw": "let the board {subject} move again",
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
    "submission.rejudge": "asked for {subject} to be judged again",
    "submission.restore": "took the retraction of {subject} back",
    "submission.retract": "retracted {subject}",
}


def sentence(entry: Entry) -> str:
    """What was done, as the rest of a sentence that begins with who did it."""
    return _SENTENCES.get(entry.action, "{action}: {subject}").format(action=entry.action, subject=entry.subject)


def moment(value: datetime) -> str:
    """A moment in UTC as the log's details write it: 2026-11-30 23:59 UTC."""
    return f"{value:%Y-%m-%d %H:%M} UTC"
