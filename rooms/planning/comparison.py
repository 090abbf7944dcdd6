"""Two plans side by side: service, pairings, load, activities, and which weekly attendances came, went or moved. Pure.

Lessons and loads are counted in halves of a weekly lesson, as in `scheduler.problem`. What a class needs is read from the plans
themselves (given plus missing), so that plans of different states of a county can be compared.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rooms.planning.shifts import Place, Shift, place_of, shifts_between
from scheduler.problem import Meeting, Pair, Plan


@dataclass(frozen=True, slots=True)
class Homes:
    """Code of a class, code of a teacher → code of their school."""

    classes: Mapping[str, str]
    teachers: Mapping[str, str]

    def of(self, who: str, family: str) -> str:
        """The school of whoever attends: members of a community are teachers, all others classes."""
        return (self.teachers if family == "master" else self.classes).get(who, "")


@dataclass(frozen=True, slots=True)
class Service:
    """Delivery lessons of a school or subject, in both plans."""

    code: str
    needed_before: int
    needed_after: int
    served_before: int
    served_after: int

    @property
    def gained(self) -> int:
        return self.served_after - self.served_before

    @property
    def changed(self) -> bool:
        return self.gained != 0 or self.needed_before != self.needed_after


@dataclass(frozen=True, slots=True)
class Gain:
    """A class and subject that is given more or fewer lessons than before."""

    school_class: str
    subject: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Load:
    """Meetings a week that a teacher or school leads, of every family."""

    code: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Spread:
    """How evenly the leading is spread over those who lead at all; in lessons a week."""

    leading: int
    busiest: float
    average: float
    deviation: float
    """The mean distance from the average; 0 where all lead the same."""


def spread(halves: Iterable[int]) -> Spread:
    """The spread of loads in halves; whoever leads nothing is left out."""
    loads = [each / 2 for each in halves if each]
    if not loads:
        return Spread(0, 0.0, 0.0, 0.0)
    average = sum(loads) / len(loads)
    return Spread(len(loads), max(loads), average, sum(abs(load - average) for load in loads) / len(loads))


@dataclass(frozen=True, slots=True)
class Held:
    """A community or network course in one of the plans: its meetings, and how many attend them in all. Empty: not held."""

    places: tuple[Place, ...] = ()
    attend: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """A community or network course that is held otherwise than before."""

    family: str
    ref: str
    before: Held
    after: Held


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the second plan does otherwise than the first. Lists of services and loads are whole, the others hold changes alone."""

    schools: tuple[Service, ...]
    subjects: tuple[Service, ...]
    gains: tuple[Gain, ...]
    pairs_added: tuple[Pair, ...]
    pairs_removed: tuple[Pair, ...]
    pairs_kept: tuple[Pair, ...]
    teachers: tuple[Load, ...]
    lead_schools: tuple[Load, ...]
    activities: tuple[Activity, ...]
    shifts: tuple[Shift, ...]
    unchanged: int
    """Weekly attendances in the same slot, with the same teacher, from the same room."""

    @property
    def changes(self) -> Mapping[str, int]:
        """How many shifts of each kind."""
        return Counter(shift.change for shift in self.shifts)

    @property
    def same(self) -> bool:
        """Whether the two plans do the same."""
        needs = any(service.changed for service in self.schools)
        return not (self.shifts or self.gains or self.pairs_added or self.pairs_removed or needs)

    @property
    def lost(self) -> int:
        """Class-lessons that classes lose; what others gain is not set against it."""
        return sum(gain.before - gain.after for gain in self.gains if gain.after < gain.before)

    @property
    def gained(self) -> int:
        return sum(gain.after - gain.before for gain in self.gains if gain.after > gain.before)


def compare(before: Plan, after: Plan, homes: Homes) -> Comparison:
    """The differences between two plans of one county."""
    old, new = _by_need(before), _by_need(after)
    shifts, unchanged = shifts_between(before, after)
    pairs_before = {planned.pair for planned in before.pairings}
    pairs_after = {planned.pair for planned in after.pairings}
    return Comparison(
        schools=_services(old, new, {key: homes.of(key[0], "delivery") for key in old.keys() | new.keys()}),
        subjects=_services(old, new, {key: key[1] for key in old.keys() | new.keys()}),
        gains=_gains(old, new),
        pairs_added=tuple(sorted(pairs_after - pairs_before)),
        pairs_removed=tuple(sorted(pairs_before - pairs_after)),
        pairs_kept=tuple(sorted(pairs_before & pairs_after)),
        teachers=_loads(before, after, lambda meeting: meeting.lead_teacher),
        lead_schools=_loads(before, after, lambda meeting: homes.teachers.get(meeting.lead_teacher, "")),
        activities=_activities(before, after),
        shifts=shifts,
        unchanged=unchanged,
    )


def of_school(found: Comparison, school: str, homes: Homes) -> Comparison:
    """The part of a comparison that touches one school, as a lead school or a receiving one."""

    def led(place: Place | None) -> bool:
        return place is not None and homes.teachers.get(place.teacher) == school

    shifts = [
        shift
        for shift in found.shifts
        if homes.of(shift.who, shift.family) == school or led(shift.before) or led(shift.after)
    ]
    refs = {shift.ref for shift in shifts if shift.ref}
    gains = [gain for gain in found.gains if homes.classes.get(gain.school_class) == school]
    return replace(
        found,
        schools=tuple(service for service in found.schools if service.code == school),
        gains=tuple(gains),
        pairs_added=tuple(pair for pair in found.pairs_added if school in pair),
        pairs_removed=tuple(pair for pair in found.pairs_removed if school in pair),
        pairs_kept=tuple(pair for pair in found.pairs_kept if school in pair),
        teachers=tuple(load for load in found.teachers if homes.teachers.get(load.code) == school),
        lead_schools=tuple(load for load in found.lead_schools if load.code == school),
        activities=tuple(each for each in found.activities if each.ref in refs),
        shifts=tuple(shifts),
    )


Given = tuple[int, int]
"""Halves served and halves missing."""
Needs = Mapping[tuple[str, str], Given]
"""(class, subject) → what is given to it and what is missing."""


def _by_need(plan: Plan) -> Needs:
    served: Counter[tuple[str, str]] = Counter()
    for meeting in plan.meetings:
        if meeting.family == "delivery":
            for code in meeting.classes:
                served[code, meeting.subject] += meeting.slot.halves
    missing: dict[tuple[str, str], int] = {
        (lack.school_class, lack.subject): lack.missing_halves for lack in plan.unmet
    }
    return {key: (served[key], missing.get(key, 0)) for key in served.keys() | missing.keys()}


def _services(old: Needs, new: Needs, code_of: Mapping[tuple[str, str], str]) -> tuple[Service, ...]:
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for side, needs in enumerate((old, new)):
        for key, (served, missing) in needs.items():
            sums[code_of[key]][side] += served + missing
            sums[code_of[key]][side + 2] += served
    return tuple(Service(code, *sums[code]) for code in sorted(sums))


def _gains(old: Needs, new: Needs) -> tuple[Gain, ...]:
    pairs = [(key, old.get(key, (0, 0))[0], new.get(key, (0, 0))[0]) for key in sorted(old.keys() | new.keys())]
    return tuple(Gain(*key, before, after) for key, before, after in pairs if before != after)


def _loads(before: Plan, after: Plan, whose: Callable[[Meeting], str]) -> tuple[Load, ...]:
    """The busiest of the second plan first."""
    old, new = _led(before.meetings, whose), _led(after.meetings, whose)
    loads = [Load(code, old[code], new[code]) for code in old.keys() | new.keys()]
    return tuple(sorted(loads, key=lambda load: (-load.after, -load.before, load.code)))


def _led(meetings: Iterable[Meeting], whose: Callable[[Meeting], str]) -> Counter[str]:
    led: Counter[str] = Counter()
    for meeting in meetings:
        led[whose(meeting)] += meeting.slot.halves
    return led


def _activities(before: Plan, after: Plan) -> tuple[Activity, ...]:
    old, new = _held(before.meetings), _held(after.meetings)
    keys = sorted(old.keys() | new.keys())
    found = [Activity(*key, old.get(key, Held()), new.get(key, Held())) for key in keys]
    return tuple(each for each in found if each.before != each.after)


def _held(meetings: Sequence[Meeting]) -> dict[tuple[str, str], Held]:
    held: dict[tuple[str, str], Held] = {}
    for meeting in sorted(meetings, key=lambda meeting: meeting.slot):
        if meeting.ref:
            known = held.get((meeting.family, meeting.ref), Held())
            attend = known.attend + len(meeting.classes) + len(meeting.members)
            held[meeting.family, meeting.ref] = Held((*known.places, place_of(meeting)), attend)
    return held
