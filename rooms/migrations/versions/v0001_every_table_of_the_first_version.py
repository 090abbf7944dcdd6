"""Every table of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from rooms.audit import triggers

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("teacher_county", sa.String(length=64), nullable=True),
        sa.Column("teacher_code", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("login", name=op.f("uq_accounts_login")),
    )
    op.create_table(
        "assistants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("school_code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assistants")),
    )
    op.create_index(op.f("ix_assistants_county"), "assistants", ["county"], unique=False)
    op.create_table(
        "audit_checkpoints",
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_audit_checkpoints")),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("edge", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "audit_leaves",
        sa.Column("index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("county", sa.String(length=64), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("canonical", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_audit_leaves")),
    )
    op.create_index(op.f("ix_audit_leaves_action"), "audit_leaves", ["action"], unique=False)
    op.create_index(op.f("ix_audit_leaves_at"), "audit_leaves", ["at"], unique=False)
    op.create_index(op.f("ix_audit_leaves_county"), "audit_leaves", ["county"], unique=False)
    op.create_table(
        "devices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("school_code", sa.String(length=64), nullable=False),
        sa.Column("room_code", sa.String(length=64), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enrol_code_hash", sa.String(length=64), nullable=True),
        sa.Column("enrol_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint("enrol_code_hash", name=op.f("uq_devices_enrol_code_hash")),
    )
    op.create_index(op.f("ix_devices_county"), "devices", ["county"], unique=False)
    op.create_table(
        "org_units",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.String(length=255), nullable=False),
        sa.Column("county", sa.String(length=64), nullable=True),
        sa.Column("school_code", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["org_units.id"], name=op.f("fk_org_units_parent_id_org_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org_units")),
    )
    op.create_index(op.f("ix_org_units_county"), "org_units", ["county"], unique=False)
    op.create_index(op.f("ix_org_units_path"), "org_units", ["path"], unique=False)
    op.create_table(
        "account_roles",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_account_roles_account_id_accounts")),
        sa.ForeignKeyConstraint(["org_id"], ["org_units.id"], name=op.f("fk_account_roles_org_id_org_units")),
        sa.PrimaryKeyConstraint("account_id", "role", "org_id", name=op.f("pk_account_roles")),
    )
    op.create_table(
        "audit_personal",
        sa.Column("leaf_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["leaf_index"], ["audit_leaves.index"], name=op.f("fk_audit_personal_leaf_index_audit_leaves")
        ),
        sa.PrimaryKeyConstraint("leaf_index", "field", name=op.f("pk_audit_personal")),
    )
    op.create_table(
        "counties",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("term_start", sa.Date(), nullable=False),
        sa.Column("term_end", sa.Date(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("province", sa.Text(), nullable=False),
        sa.Column("curriculum_plan", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("needs_given", sa.Boolean(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["org_id"], ["org_units.id"], name=op.f("fk_counties_org_id_org_units")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_counties")),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sessions_account_id_accounts")),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_sessions_device_id_devices")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_account_id"), "sessions", ["account_id"], unique=False)
    op.create_index(op.f("ix_sessions_device_id"), "sessions", ["device_id"], unique=False)
    op.create_table(
        "sign_in_links",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("device_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reusable", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sign_in_links_account_id_accounts")),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_sign_in_links_device_id_devices")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_links")),
    )
    op.create_table(
        "bells",
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("bell_code", sa.String(length=64), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_bells_county_counties")),
        sa.PrimaryKeyConstraint("county", "bell_code", "weekday", "period", name=op.f("pk_bells")),
    )
    op.create_table(
        "calendar_days",
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("follows_weekday", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_calendar_days_county_counties")),
        sa.PrimaryKeyConstraint("county", "day", name=op.f("pk_calendar_days")),
    )
    op.create_table(
        "communities",
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("host_teacher_code", sa.String(length=64), nullable=False),
        sa.Column("member_teacher_codes", sa.JSON(), nullable=False),
        sa.Column("weeks", sa.Integer(), nullable=False),
        sa.Column("length_min", sa.Integer(), nullable=False),
        sa.Column("min_attendance_pct", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_communities_county_counties")),
        sa.PrimaryKeyConstraint("county", "code", name=op.f("pk_communities")),
    )
    op.create_table(
        "curriculum_hours",
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("plan_code", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("halves", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_curriculum_hours_county_counties")),
        sa.PrimaryKeyConstraint("county", "plan_code", "subject", "grade", name=op.f("pk_curriculum_hours")),
    )
    op.create_table(
        "feed_tokens",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_feed_tokens_county_counties")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_feed_tokens")),
    )
    op.create_index("ix_feed_tokens_of", "feed_tokens", ["county", "kind", "code"], unique=False)
    op.create_table(
        "import_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_import_runs_county_counties")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_runs")),
    )
    op.create_index(op.f("ix_import_runs_county"), "import_runs", ["county"], unique=False)
    op.create_table(
        "local_lessons",
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("school_code", sa.String(length=64), nullable=False),
        sa.Column("class_codes", sa.JSON(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("teacher_code", sa.String(length=64), nullable=True),
        sa.Column("room_code", sa.String(length=64), nullable=True),
        sa.Column("weeks", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_local_lessons_county_counties")),
        sa.PrimaryKeyConstraint("county", "row", name=op.f("pk_local_lessons")),
    )
    op.create_index("ix_local_lessons_school", "local_lessons", ["county", "school_code"], unique=False)
    op.create_table(
        "needs",
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("class_code", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("halves", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_needs_county_counties")),
        sa.PrimaryKeyConstraint("county", "class_code", "subject", name=op.f("pk_needs")),
    )
    op.create_table(
        "network_courses",
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("grades", sa.JSON(), nullable=False),
        sa.Column("lead_teacher_code", sa.String(length=64), nullable=False),
        sa.Column("halves", sa.Integer(), nullable=False),
        sa.Column("audience_class_codes", sa.JSON(), nullable=False),
        sa.Column("length_min", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_network_courses_county_counties")),
        sa.PrimaryKeyConstraint("county", "code", name=op.f("pk_network_courses")),
    )
    op.create_table(
        "pairings",
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("lead_school_code", sa.String(length=64), nullable=False),
        sa.Column("receive_school_code", sa.String(length=64), nullable=False),
        sa.Column("subjects", sa.JSON(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_pairings_county_counties")),
        sa.PrimaryKeyConstraint("county", "lead_school_code", "receive_school_code", name=op.f("pk_pairings")),
    )
    op.create_table(
        "plan_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("county_revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("time_limit", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=True),
        sa.Column("problem_code", sa.Text(), nullable=True),
        sa.Column("problem_facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_plan_runs_county_counties")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_runs")),
    )
    op.create_index(op.f("ix_plan_runs_county"), "plan_runs", ["county"], unique=False)
    op.create_table(
        "plan_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("county_revision", sa.Integer(), nullable=False),
        sa.Column("previous_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.Text(), nullable=True),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_plan_versions_county_counties")),
        sa.ForeignKeyConstraint(
            ["previous_id"], ["plan_versions.id"], name=op.f("fk_plan_versions_previous_id_plan_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_versions")),
        sa.UniqueConstraint("county", "number", name=op.f("uq_plan_versions_county")),
    )
    op.create_index(op.f("ix_plan_versions_county"), "plan_versions", ["county"], unique=False)
    op.create_table(
        "policy_values",
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_policy_values_county_counties")),
        sa.PrimaryKeyConstraint("county", "key", name=op.f("pk_policy_values")),
    )
    op.create_table(
        "schools",
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("bell_code", sa.String(length=64), nullable=False),
        sa.Column("parent_school_code", sa.String(length=64), nullable=True),
        sa.Column("township", sa.Text(), nullable=False),
        sa.Column("stages", sa.JSON(), nullable=False),
        sa.Column("uplink_mbps", sa.Double(), nullable=True),
        sa.Column("contact_name", sa.Text(), nullable=False),
        sa.Column("contact_phone", sa.Text(), nullable=False),
        sa.Column("org_id", sa.Integer(), nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_schools_county_counties")),
        sa.ForeignKeyConstraint(["org_id"], ["org_units.id"], name=op.f("fk_schools_org_id_org_units")),
        sa.PrimaryKeyConstraint("county", "code", name=op.f("pk_schools")),
    )
    op.create_table(
        "unavailabilities",
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("weekdays", sa.JSON(), nullable=False),
        sa.Column("period", sa.String(length=16), nullable=False),
        sa.Column("start", sa.Integer(), nullable=True),
        sa.Column("end", sa.Integer(), nullable=True),
        sa.Column("weeks", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_unavailabilities_county_counties")),
        sa.PrimaryKeyConstraint("county", "row", name=op.f("pk_unavailabilities")),
    )
    op.create_table(
        "classes",
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("school_code", sa.String(length=64), nullable=False),
        sa.Column("grades", sa.JSON(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("receiving_room_code", sa.String(length=64), nullable=True),
        sa.Column("editions", sa.JSON(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["county", "school_code"], ["schools.county", "schools.code"], name=op.f("fk_classes_county_schools")
        ),
        sa.PrimaryKeyConstraint("county", "code", name=op.f("pk_classes")),
    )
    op.create_table(
        "occurrences",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=True),
        sa.Column("meeting_code", sa.String(length=64), nullable=True),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("week", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lead_school_code", sa.String(length=64), nullable=False),
        sa.Column("lead_teacher_code", sa.String(length=64), nullable=False),
        sa.Column("lead_room_code", sa.String(length=64), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shift_seconds", sa.Integer(), nullable=False),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("cancel_note", sa.Text(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.Column("replaces_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["county"], ["counties.code"], name=op.f("fk_occurrences_county_counties")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan_versions.id"], name=op.f("fk_occurrences_plan_id_plan_versions")),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["occurrences.id"], name=op.f("fk_occurrences_replaces_id_occurrences")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occurrences")),
    )
    op.create_index("ix_occurrences_county_day", "occurrences", ["county", "day"], unique=False)
    op.create_index(op.f("ix_occurrences_replaces_id"), "occurrences", ["replaces_id"], unique=False)
    op.create_index("ix_occurrences_state", "occurrences", ["state", "ends_at"], unique=False)
    op.create_index("ix_occurrences_teacher", "occurrences", ["county", "lead_teacher_code", "day"], unique=False)
    op.create_table(
        "plan_meetings",
        sa.Column("plan_id", sa.Integer(), nullable=False),
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
        sa.ForeignKeyConstraint(["plan_id"], ["plan_versions.id"], name=op.f("fk_plan_meetings_plan_id_plan_versions")),
        sa.PrimaryKeyConstraint("plan_id", "code", name=op.f("pk_plan_meetings")),
    )
    op.create_table(
        "plan_pairings",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("lead_school_code", sa.String(length=64), nullable=False),
        sa.Column("receive_school_code", sa.String(length=64), nullable=False),
        sa.Column("subjects", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan_versions.id"], name=op.f("fk_plan_pairings_plan_id_plan_versions")),
        sa.PrimaryKeyConstraint("plan_id", "lead_school_code", "receive_school_code", name=op.f("pk_plan_pairings")),
    )
    op.create_table(
        "plan_unmet",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("class_code", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("missing_halves", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan_versions.id"], name=op.f("fk_plan_unmet_plan_id_plan_versions")),
        sa.PrimaryKeyConstraint("plan_id", "class_code", "subject", name=op.f("pk_plan_unmet")),
    )
    op.create_table(
        "rooms",
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("school_code", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("can_lead", sa.Boolean(), nullable=False),
        sa.Column("max_receivers", sa.Integer(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("custodian_name", sa.Text(), nullable=False),
        sa.Column("custodian_phone", sa.Text(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["county", "school_code"], ["schools.county", "schools.code"], name=op.f("fk_rooms_county_schools")
        ),
        sa.PrimaryKeyConstraint("county", "code", name=op.f("pk_rooms")),
    )
    op.create_table(
        "teachers",
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("school_code", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("subjects", sa.JSON(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("cohorts", sa.JSON(), nullable=False),
        sa.Column("max_remote_per_week", sa.Integer(), nullable=True),
        sa.Column("max_remote_per_day", sa.Integer(), nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["county", "school_code"], ["schools.county", "schools.code"], name=op.f("fk_teachers_county_schools")
        ),
        sa.PrimaryKeyConstraint("county", "code", name=op.f("pk_teachers")),
    )
    op.create_table(
        "occurrence_sides",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("occurrence_id", sa.String(length=32), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("county", sa.String(length=64), nullable=False),
        sa.Column("school_code", sa.String(length=64), nullable=False),
        sa.Column("class_code", sa.String(length=64), nullable=True),
        sa.Column("teacher_code", sa.String(length=64), nullable=True),
        sa.Column("room_code", sa.String(length=64), nullable=True),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("excuse_reason", sa.Text(), nullable=True),
        sa.Column("excuse_note", sa.Text(), nullable=True),
        sa.Column("excused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("excused_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["occurrence_id"], ["occurrences.id"], name=op.f("fk_occurrence_sides_occurrence_id_occurrences")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occurrence_sides")),
    )
    op.create_index(op.f("ix_occurrence_sides_occurrence_id"), "occurrence_sides", ["occurrence_id"], unique=False)
    op.create_index("ix_occurrence_sides_school", "occurrence_sides", ["county", "school_code"], unique=False)
    op.create_table(
        "evidence_events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("occurrence_id", sa.String(length=32), nullable=False),
        sa.Column("side_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["occurrence_id"], ["occurrences.id"], name=op.f("fk_evidence_events_occurrence_id_occurrences")
        ),
        sa.ForeignKeyConstraint(
            ["side_id"], ["occurrence_sides.id"], name=op.f("fk_evidence_events_side_id_occurrence_sides")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_evidence_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_evidence_events_event_id")),
    )
    op.create_index(op.f("ix_evidence_events_occurrence_id"), "evidence_events", ["occurrence_id"], unique=False)
    op.create_index(op.f("ix_evidence_events_side_id"), "evidence_events", ["side_id"], unique=False)
    op.create_table(
        "verdicts",
        sa.Column("side_id", sa.String(length=32), nullable=False),
        sa.Column("occurrence_id", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("presence_seconds", sa.Integer(), nullable=False),
        sa.Column("common_seconds", sa.Integer(), nullable=False),
        sa.Column("required_seconds", sa.Integer(), nullable=False),
        sa.Column("intervals", sa.JSON(), nullable=False),
        sa.Column("gaps", sa.JSON(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("early_leave", sa.Boolean(), nullable=False),
        sa.Column("head_count", sa.Integer(), nullable=True),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("rules_sha256", sa.String(length=64), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["occurrence_id"], ["occurrences.id"], name=op.f("fk_verdicts_occurrence_id_occurrences")
        ),
        sa.ForeignKeyConstraint(
            ["side_id"], ["occurrence_sides.id"], name=op.f("fk_verdicts_side_id_occurrence_sides")
        ),
        sa.PrimaryKeyConstraint("side_id", name=op.f("pk_verdicts")),
    )
    op.create_index(op.f("ix_verdicts_occurrence_id"), "verdicts", ["occurrence_id"], unique=False)
    triggers.install(op.get_bind())
