"""What alembic runs: migrate over the connection that :mod:`modelwright.registry.state.schema` hands over."""

from __future__ import annotations

from alembic import context

from modelwright.registry.state.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
