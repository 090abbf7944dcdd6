"""Every table of the first version."""

from __future__ import annotations

from alembic import op

from rooms.audit import triggers
from rooms.tables import Base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    Base.metadata.create_all(op.get_bind())
    triggers.install(op.get_bind())
