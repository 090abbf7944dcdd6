"""An owner for every planning run, and what a worker needs to take it up again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("deterministic", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("previous_id", sa.Integer(), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by_role", sa.Text(), nullable=False, server_default=""),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("beat", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("best", sa.LargeBinary(), nullable=True),
    ):
        op.add_column("plan_runs", column)
