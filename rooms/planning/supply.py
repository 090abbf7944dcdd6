"""How well a county's classes are supplied with lessons (开齐, 开足), by subject and by school. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rooms.county import County
from rooms.gaps import Gap, gaps, local_halves
from scheduler.problem import Meeting

Received = Mapping[tuple[str, str], int]
"""(class, subject) → halves of a weekly lesson taught from afar."""


@dataclass(frozen=True, slots=True)
class Supply:
    """Weekly lessons of a group of classes, in halves. `key` is a subject's or a school's code."""

    key: str
    required: int
    local: int
    received: int
    missing: int
    unoffered: int
    """Classes and subjects that are not taught at all (未开齐)."""
    short: int
    """Classes and subjects below their hours (未开足)."""
    pairs: int
    """All classes and subjects of the group."""


@dataclass(frozen=True, slots=True)
class CountySupply:
    whole: Supply
    subjects: tuple[Supply, ...]
    """Where most is missing first."""
    schools: Mapping[str, Supply]


def received_of(meetings: Iterable[Meeting]) -> Received:
    """What the meetings of a plan bring to each class."""
    found: defaultdict[tuple[str, str], int] = defaultdict(int)
    for meeting in meetings:
        if meeting.family != "master":
            for school_class in meeting.classes:
                found[school_class, meeting.subject] += meeting.slot.halves
    return found


def supply_of(county: County, received: Received) -> CountySupply:
    """The supply of every class of a school that receives, counted per class and subject of the curriculum plan.

    Where the county gives its needs itself, these count in the curriculum's place: required is the local lessons and the need.
    """
    rows = [gap for gap in _rows(county, received) if county.school_by_code[gap.school_code].receives]
    subjects, schools = defaultdict(list), defaultdict(list)
    for row in rows:
        subjects[row.subject].append(row)
        schools[row.school_code].append(row)
    by_subject = [_sum(subject, some) for subject, some in subjects.items()]
    return CountySupply(
        _sum(county.code, rows),
        tuple(sorted(by_subject, key=lambda each: (-each.missing, -each.received, each.key))),
        {code: _sum(code, some) for code, some in schools.items()},
    )


def _rows(county: County, received: Received) -> Iterable[Gap]:
    if county.needs is None:
        yield from gaps(county, received)
        return
    local = local_halves(county)
    for need in county.needs:
        key = (need.class_code, need.subject)
        here = local.get(key, 0)
        school = county.class_by_code[need.class_code].school_code
        yield Gap(need.class_code, school, need.subject, here + need.halves, here, received.get(key, 0))


def _sum(key: str, rows: list[Gap]) -> Supply:
    return Supply(
        key=key,
        required=sum(row.required for row in rows),
        local=sum(min(row.local, row.required) for row in rows),
        received=sum(min(row.received, max(0, row.required - row.local)) for row in rows),
        missing=sum(row.missing for row in rows),
        unoffered=sum(not row.offered for row in rows),
        short=sum(not row.met for row in rows),
        pairs=len(rows),
    )
