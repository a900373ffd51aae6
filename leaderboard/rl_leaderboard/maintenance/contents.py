"""What is in a classroom's backup: a tar with these members, in this order.

`manifest.json`, `tables/<name>.jsonl` for each table, `secret.key`, `files/<sha256>` for each of the judge's videos,
and `hub.tar`, the embedded Hub's own backup, which `python -m rl_hub restore` takes as well.
"""

from rl_leaderboard.database import tables

SECRET = "secret.key"  # noqa: S105  the name of a file
HUB = "hub.tar"
HEARD = "hub_heard"
"""In the manifest: the last event of the Hub that the classroom had heard of; None without a Hub."""

_MADE_ANEW = (tables.sessions, tables.sign_ins, tables.generations, tables.judges)
"""Who was signed in signs in again, a judge says again that it works, and nothing kept of pages outlives a restore."""

SAVED = tuple(table for table in tables.metadata.sorted_tables if table not in _MADE_ANEW)
"""The tables of a backup, each after those that it refers to."""
