"""What a new county changes against the present one, file by file. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rooms.county import County
from rooms.exporting import records
from rooms.importing.columns import FORMS, FileForm

SAMPLES = 5
KEYS: Mapping[str, tuple[str, ...]] = {
    "county": ("county_code",),
    "schools": ("school_code",),
    "bells": ("bell_code", "weekday", "period"),
    "rooms": ("room_code",),
    "teachers": ("teacher_code",),
    "classes": ("class_code",),
    "lessons": ("school_code", "class_codes", "weekday", "period", "weeks"),
    "unavailability": ("resource", "code", "weekday", "period", "start", "end", "weeks", "reason"),
    "curriculum": ("plan_code", "subject", "grade"),
    "needs": ("class_code", "subject"),
    "communities": ("community_code",),
    "network_courses": ("course_code",),
    "pairings": ("lead_school_code", "receive_school_code"),
    "calendar": ("date",),
    "policy": ("key",),
}
"""What makes two rows the same row; the place in the file does not."""
Record = Sequence[str]


@dataclass(frozen=True, slots=True)
class Change:
    """One row: its key, and for a changed row the cells that differ as (column, before, after)."""

    kind: Literal["added", "changed", "removed"]
    key: str
    cells: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FileDiff:
    """How many rows of a file are added, changed and removed, and a few of each."""

    file: str
    added: int
    changed: int
    removed: int
    samples: tuple[Change, ...]

    @property
    def any(self) -> bool:
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Diff:
    """`first` is true where the county was not there before; every row is then added."""

    first: bool
    files: tuple[FileDiff, ...]

    @property
    def any(self) -> bool:
        return any(file.any for file in self.files)

    def counts(self) -> dict[str, dict[str, int]]:
        """File → added, changed, removed; files without a change are left out."""
        return {
            file.file: {"added": file.added, "changed": file.changed, "removed": file.removed}
            for file in self.files
            if file.any
        }


def compare(before: County | None, after: County) -> Diff:
    """The difference that saving `after` over `before` makes."""
    old, new = records(before) if before else {}, records(after)
    return Diff(
        before is None,
        tuple(_compare_file(form, old.get(form.name, []), new.get(form.name, [])) for form in FORMS),
    )


def _compare_file(form: FileForm, before: Sequence[Record], after: Sequence[Record]) -> FileDiff:
    old, new = _by_key(form, before), _by_key(form, after)
    names = [column.name for column in form.columns]
    changes: dict[str, list[Change]] = {"added": [], "changed": [], "removed": []}
    for key, record in new.items():
        if key not in old:
            changes["added"].append(Change("added", _shown(key)))
        elif old[key] != record:
            triples = zip(names, old[key], record, strict=True)
            cells = tuple((name, was, now) for name, was, now in triples if was != now)
            changes["changed"].append(Change("changed", _shown(key), cells))
    changes["removed"] = [Change("removed", _shown(key)) for key in old if key not in new]
    samples = tuple(change for kind in changes.values() for change in kind[:SAMPLES])
    counts = {kind: len(found) for kind, found in changes.items()}
    return FileDiff(form.file, counts["added"], counts["changed"], counts["removed"], samples)


def _by_key(form: FileForm, rows: Sequence[Record]) -> dict[tuple[str, ...], Record]:
    """Rows by key; rows that share a key are told apart by their order."""
    places = [index for index, column in enumerate(form.columns) if column.name in KEYS[form.name]]
    seen: Counter[tuple[str, ...]] = Counter()
    found: dict[tuple[str, ...], Record] = {}
    for row in rows:
        if not any(row):
            continue
        key = tuple(row[place] for place in places)
        seen[key] += 1
        found[key if seen[key] == 1 else (*key, f"#{seen[key]}")] = row
    return found


def _shown(key: tuple[str, ...]) -> str:
    return " · ".join(part for part in key if part)
