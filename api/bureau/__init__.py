"""The bureau's desk: figures that open their rows, exceptions with whom to call, lessons with their evidence, the audit log."""

from api.bureau import audit, lesson, overview, sheets, tables
from api.bureau.desk import routes

__all__ = ["audit", "lesson", "overview", "routes", "sheets", "tables"]
