"""What the database itself refuses, whoever asks: changing or removing entries and evidence.

The statements belong to the first migration; they run once, after the tables are made, on SQLite and on PostgreSQL.
An owner of the database can drop a trigger; that is what signed checkpoints held outside are for.
"""

from __future__ import annotations

from sqlalchemy import Connection

APPEND_ONLY = ("audit_leaves", "audit_checkpoints", "evidence_events")
"""Tables whose rows never change and never go."""

HEAD_ROW = "INSERT INTO audit_head (id, size, edge) VALUES (1, 0, '[]')"


def install(connection: Connection) -> None:
    """Make the head row of the log and the triggers that guard it."""
    statements = {"sqlite": sqlite, "postgresql": postgresql}[connection.dialect.name]()
    for statement in (*statements, HEAD_ROW):
        connection.exec_driver_sql(statement)


def sqlite() -> list[str]:
    """The triggers for SQLite. REPLACE would go past a delete trigger, so inserts are watched as well."""
    found = [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for table in APPEND_ONLY
        for verb in ("UPDATE", "DELETE")
    ]
    return [
        *found,
        (
            "CREATE TRIGGER audit_leaves_gapless BEFORE INSERT ON audit_leaves "
            'WHEN NEW."index" <> (SELECT COALESCE(MAX("index") + 1, 0) FROM audit_leaves) '
            "BEGIN SELECT RAISE(ABORT, 'audit_leaves grows by one'); END"
        ),
        (
            "CREATE TRIGGER audit_personal_no_update BEFORE UPDATE ON audit_personal "
            "BEGIN SELECT RAISE(ABORT, 'audit_personal is erased, never changed'); END"
        ),
        (
            "CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head WHEN NEW.size < OLD.size "
            "BEGIN SELECT RAISE(ABORT, 'audit_head never shrinks'); END"
        ),
        (
            "CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head "
            "BEGIN SELECT RAISE(ABORT, 'audit_head stays'); END"
        ),
    ]


def postgresql() -> list[str]:
    """The triggers for PostgreSQL."""
    guards = [
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION sanke_append_only()"
        for table in APPEND_ONLY
    ]
    return [
        (
            "CREATE FUNCTION sanke_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        ),
        *guards,
        (
            "CREATE FUNCTION sanke_gapless() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            'IF NEW."index" <> (SELECT COALESCE(MAX("index") + 1, 0) FROM audit_leaves) THEN '
            "RAISE EXCEPTION 'audit_leaves grows by one'; END IF; RETURN NEW; END $$"
        ),
        (
            "CREATE TRIGGER audit_leaves_gapless BEFORE INSERT ON audit_leaves "
            "FOR EACH ROW EXECUTE FUNCTION sanke_gapless()"
        ),
        (
            "CREATE TRIGGER audit_personal_no_update BEFORE UPDATE ON audit_personal "
            "FOR EACH STATEMENT EXECUTE FUNCTION sanke_append_only()"
        ),
        (
            "CREATE FUNCTION sanke_head_grows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF NEW.size < OLD.size THEN RAISE EXCEPTION 'audit_head never shrinks'; END IF; RETURN NEW; END $$"
        ),
        "CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head FOR EACH ROW EXECUTE FUNCTION sanke_head_grows()",
        (
            "CREATE TRIGGER audit_head_stays BEFORE DELETE OR TRUNCATE ON audit_head "
            "FOR EACH STATEMENT EXECUTE FUNCTION sanke_append_only()"
        ),
    ]
