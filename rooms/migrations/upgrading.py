"""Alembic at work: every migration that a database lacks, in one transaction."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from rooms.migrations import FOLDER

_LOCK = 0x73616E6B65  # "sanke": one server at a time migrates a PostgreSQL database


def configuration(connection: Connection | None = None) -> Config:
    """The alembic configuration; it needs no file of its own."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("file_template", "v%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def bring_up(connection: Connection) -> None:
    """To the newest migration, one process after the other."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    command.upgrade(configuration(connection), "head")
