"""Drafts the next migration from what `rooms.tables` says: ``python -m rooms.migrations.revise "Add a table of …"``."""

from __future__ import annotations

import sys

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from rooms.migrations.upgrading import configuration


def revise(message: str) -> str:
    """Writes the migration file and returns its path. Read it before you commit it."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        config = configuration(connection)
        number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
        command.upgrade(config, "head")
        script = command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")
    engine.dispose()
    return str(getattr(script, "path", ""))


if __name__ == "__main__":
    print(revise(" ".join(sys.argv[1:])))
