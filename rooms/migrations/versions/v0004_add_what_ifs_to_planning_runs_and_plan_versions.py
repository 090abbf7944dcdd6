"""Add what-ifs to planning runs and plan versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("plan_runs", sa.Column("hypothesis", sa.JSON(), nullable=True))
    op.add_column("plan_versions", sa.Column("origin", sa.String(length=16), nullable=False, server_default="run"))
    op.add_column("plan_versions", sa.Column("hypothesis", sa.JSON(), nullable=True))
