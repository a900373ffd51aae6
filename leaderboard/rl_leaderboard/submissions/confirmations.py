"""What evaluations are worth for a certificate, as expressions for statements that select from `evaluations`."""

from sqlalchemy import ColumnElement, ScalarSelect, case, func, select

from rl_leaderboard.database.tables import batches, evaluations
from rl_leaderboard.rules.batches import CONFIRMATION, season_prefix


def confirmation() -> ScalarSelect[float]:
    """The score of the confirmation that belongs to an evaluation; NULL if its agent has played none."""
    beginning = func.substr(evaluations.c.batch, 1, func.length(batches.c.season) + len(season_prefix("")))
    return (
        select(func.max(batches.c.score))
        .where(
            batches.c.agent_sha256 == evaluations.c.agent_sha256,
            batches.c.protocol_id == evaluations.c.protocol_id,
            batches.c.protocol_version == evaluations.c.protocol_version,
            beginning == batches.c.season.concat(season_prefix("")),
            batches.c.batch == CONFIRMATION,
        )
        .correlate(evaluations)
        .scalar_subquery()
    )


def certified_score() -> ColumnElement[float]:
    """What an evaluation is worth for a certificate.

    The lower of its score and that of the confirmation, if its agent has played one: so an agent that was lucky in the
    games of the board needs the same luck again. Whoever does not pass on the board plays none.
    """
    confirmed = confirmation()
    return case((confirmed < evaluations.c.score, confirmed), else_=evaluations.c.score)
