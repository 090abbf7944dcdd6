"""Add circumstances, locks of meetings and drafts of repairs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "circumstances",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("until_date", sa.Date(), nullable=True),
        sa.Column("weekdays", sa.JSON(), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("start", sa.Integer(), nullable=True),
        sa.Column("end", sa.Integer(), nullable=True),
        sa.Column("weeks", sa.Integer(), nullable=False),
        sa.Column("bell_code", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("halves", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("effects", sa.JSON(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_circumstances_county_counties")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_circumstances")),
    )
    op.create_index(op.f("ix_circumstances_county"), "circumstances", ["county"], unique=False)
    op.create_table(
        "meeting_locks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("overrides", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("lead_teacher_code", sa.String(length=64), nullable=False),
        sa.Column("lead_room_code", sa.String(length=64), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("weeks", sa.Integer(), nullable=False),
        sa.Column("class_codes", sa.JSON(), nullable=False),
        sa.Column("member_codes", sa.JSON(), nullable=False),
        sa.Column("host_lesson", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_meeting_locks_county_counties")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_locks")),
    )
    op.create_index(op.f("ix_meeting_locks_county"), "meeting_locks", ["county"], unique=False)
    op.create_table(
        "repair_drafts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("standing_id", sa.Integer(), nullable=False),
        sa.Column("stamp", sa.JSON(), nullable=False),
        sa.Column("made", sa.JSON(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_repair_drafts_county_counties")),
        sa.ForeignKeyConstraint(
            ["standing_id"], ["plan_versions.id"], name=op.f("fk_repair_drafts_standing_id_plan_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repair_drafts")),
    )
    op.create_index(op.f("ix_repair_drafts_county"), "repair_drafts", ["county"], unique=False)
