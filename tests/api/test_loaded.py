"""What a process loads: one runs on every core, and each takes the memory of what it imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOLVER = {"ortools", "numpy", "pandas"}
DESKS = {"api.app", "scheduler", "alembic", "icalendar", "jinja2", "python_calamine", "taskiq", "xlsxwriter"}

COMPOSED = """
import sys
from pathlib import Path

import api.cli.{module}
from {builder} import {build}
from config.settings import Settings

{build}(Settings(data_dir=Path(sys.argv[1]), redis_url="redis://127.0.0.1:1/0"))
print("\\n".join(sys.modules))
"""


@pytest.mark.parametrize(
    ("module", "builder", "build", "foreign"),
    [
        ("relay_worker", "api.relaying", "build_relay", SOLVER | DESKS),
        ("serve", "api.app", "build_app", SOLVER),
    ],
)
def test_a_process_loads_no_more_than_it_starts(
    tmp_path: Path, module: str, builder: str, build: str, foreign: set[str]
) -> None:
    code = COMPOSED.format(module=module, builder=builder, build=build)
    told = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    loaded = set(told.stdout.split("\n"))
    assert builder in loaded
    assert foreign & loaded == set()
