"""Checking a Hub: every content against its name, every commit, every row that refers to another.

Nothing is changed. The Hub may be in use meanwhile; clean-ups and backups wait.
"""

from sqlalchemy.exc import DatabaseError

from rl_hub.hub import Hub
from rl_hub.maintenance import gc, history, listings, references, stored_files
from rl_hub.maintenance.exclusion import maintenance
from rl_hub.maintenance.findings import Findings, Progress, Report, silent

_PARTS = (references.check, history.check, listings.check, stored_files.check)


def check(hub: Hub, progress: Progress = silent) -> Report:
    """Checks everything.

    Args:
        hub: An open Hub.
        progress: Told how far the check is.

    Returns:
        What was looked at and what is damaged; what is only useless is counted apart.

    Raises:
        CommandError: If a backup, a clean-up or another check is running.
    """
    findings = Findings(progress)
    with maintenance(hub.settings.data):
        for part in _PARTS:
            try:
                part(hub, findings)
            except DatabaseError as error:
                place = hub.database.url.render_as_string(hide_password=True)
                findings.damage("database", place, f"It cannot be read: {error.orig}.")
                return findings.report({})
        return findings.report(gc.survey(hub))
