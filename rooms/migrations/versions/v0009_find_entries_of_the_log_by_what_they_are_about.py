"""Find entries of the audit log by what they are about, and a county's actions without reading its entries."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_audit_leaves_object"), "audit_leaves", ["object"], unique=False)
    op.create_index("ix_audit_leaves_county_action", "audit_leaves", ["county", "action"], unique=False)
    op.drop_index(op.f("ix_audit_leaves_action"), table_name="audit_leaves")
