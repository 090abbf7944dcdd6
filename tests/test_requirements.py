"""docs/REQUIREMENTS.md answers every core demand of the five notices, and names no test that is not there."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs" / "REQUIREMENTS.md"
# The demands that are ours to build, numbered as in the list of all 212 that the five notices name.
CORE = frozenset(
    {2, 3, 4, 5, 7, 8, 9, 11, 12, 15, 16, 17, 20, 21, 24, 26, 28, 32, 33, 34, 35, 39, 40, 51, 52, 54, 55, 57, 58, 59}
    | {60, 61, 62, 63, 64, 67, 69, 72, 74, 75, 76, 83, 84, 85, 93, 98, 99, 101, 106, 107, 108, 109, 110, 111, 116, 117}
    | {
        118,
        119,
        121,
        124,
        126,
        127,
        133,
        134,
        144,
        145,
        146,
        147,
        151,
        153,
        156,
        159,
        160,
        164,
        168,
        170,
        171,
        172,
        180,
    }
    | {181, 186, 187, 191, 193, 197, 203, 204, 208, 209, 210, 211}
)


def rows() -> list[list[str]]:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if re.match(r"\| *\d+ *\|", line)]


def test_every_core_demand_has_a_row() -> None:
    assert len(CORE) == 91
    assert not CORE - {int(row[0]) for row in rows()}


def test_every_row_is_answered_by_a_test_or_is_open() -> None:
    for number, _demand, _where, shown in rows():
        assert shown == "open" or "`" in shown, f"row {number} names neither a test nor «open»"


def test_every_named_test_exists() -> None:
    for row in rows():
        for path, _, name in (reference.partition("::") for reference in re.findall(r"`([^`]+)`", row[3])):
            file = ROOT / path
            assert file.is_file(), f"row {row[0]} names {path}, which is not there"
            assert not name or re.search(rf"def {name}\b", file.read_text(encoding="utf-8")), f"{path} has no {name}"
