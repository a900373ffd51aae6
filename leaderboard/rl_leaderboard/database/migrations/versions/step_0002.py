"""Which file of a repository was judged."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds a column; nobody knows it of what was judged before."""
    op.add_column("evaluations", sa.Column("judged_file", sa.String(length=200), nullable=True))
