"""Encoders of recording rooms, and the lessons that use one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "room_encoders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("school_code", sa.String(length=64), nullable=False),
        sa.Column("room_code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("sealed_url", sa.LargeBinary(), nullable=True),
        sa.Column("shown_url", sa.Text(), nullable=False),
        sa.Column("key_digest", sa.LargeBinary(), nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room_encoders")),
    )
    op.create_index(op.f("ix_room_encoders_county"), "room_encoders", ["county"], unique=False)
    op.create_table(
        "encoder_uses",
        sa.Column("occurrence_id", sa.String(length=32), nullable=False),
        sa.Column("encoder_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("keeper", sa.String(length=32), nullable=True),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["encoder_id"], ["room_encoders.id"], name=op.f("fk_encoder_uses_encoder_id_room_encoders")
        ),
        sa.ForeignKeyConstraint(
            ["occurrence_id"], ["occurrences.id"], name=op.f("fk_encoder_uses_occurrence_id_occurrences")
        ),
        sa.PrimaryKeyConstraint("occurrence_id", name=op.f("pk_encoder_uses")),
        sa.UniqueConstraint("encoder_id", name=op.f("uq_encoder_uses_encoder_id")),
    )
