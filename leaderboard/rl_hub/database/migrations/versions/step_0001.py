"""The first schema."""

from alembic import op

from rl_hub.database.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates every table."""
    metadata.create_all(op.get_bind())
