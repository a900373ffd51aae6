"""Runs the migrations on the connection that `rl_hub.database.schema` hands over."""

from alembic import context

from rl_leaderboard.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction holds
)
context.run_migrations()
