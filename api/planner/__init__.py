"""The planner's desk: a county's files, plans, publication, weeks and changes. Pages under ``/planner``, JSON under ``/api/planner``."""

from api.planner import (
    comparing,
    exports,
    home,
    imports,
    lessons,
    placing,
    plans,
    prefecture,
    publishing,
    repairs,
    rolling,
    rules,
    runs,
    schools,
    substitutions,
    weeks,
    what_if,
)
from api.planner.desk import routes

__all__ = [
    "comparing",
    "exports",
    "home",
    "imports",
    "lessons",
    "placing",
    "plans",
    "prefecture",
    "publishing",
    "repairs",
    "rolling",
    "routes",
    "rules",
    "runs",
    "schools",
    "substitutions",
    "weeks",
    "what_if",
]
