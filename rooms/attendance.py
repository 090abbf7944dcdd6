"""When a remote lesson counts: evidence → intervals of presence → a verdict for each side. Pure; docs/RULES.md.

Seconds are whole and half-open: ``[start, end)`` in Unix time. What comes in has no order and may come twice; the same evidence
always gives the same verdicts, and more evidence never makes a VALID side anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal, NamedTuple

from rooms.rulesets import RuleSet

Side = Literal["lead", "receiver", "member"]
Verdict = Literal["VALID", "INVALID", "EXCUSED", "UNEXCUSED", "UNJUDGED"]


class Interval(NamedTuple):
    """Half-open, in whole seconds of Unix time."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MediaEvidence:
    """What one media session carried in one slot; the fields of `media.events.MediaSlot` that count."""

    publishes: bool
    started_at: datetime
    ended_at: datetime
    packets: int
    acknowledged: int | None
    source_packets: int


@dataclass(frozen=True, slots=True)
class SideEvidence:
    """Everything known of one side. `excuse` is an accepted reason; `head_count` the newest one entered."""

    id: str
    side: Side
    media: Sequence[MediaEvidence] = ()
    signed_in: bool = False
    head_count: int | None = None
    excuse: str | None = None


@dataclass(frozen=True, slots=True)
class LessonEvidence:
    """One lesson with all its sides. `over`: it was ended, or its window has passed; `cancelled`: the reason."""

    starts_at: datetime
    ends_at: datetime
    sides: Sequence[SideEvidence]
    needs_receiver: bool = True
    """Dedicated delivery: the lead counts only with a valid receiver."""
    shift_seconds: int = 0
    over: bool = True
    cancelled: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict of one side, with what it rests on. `reason` is a code of the ``verdict`` catalogue."""

    side_id: str
    verdict: Verdict
    reason: str
    presence_seconds: int
    """Inside the window."""
    common_seconds: int
    """Together with the lead, inside the window; for the lead the same as `presence_seconds`."""
    required_seconds: int
    intervals: tuple[Interval, ...]
    """Presence after short interruptions were merged, not yet cut to the window."""
    gaps: tuple[Interval, ...]
    """The interruptions that were merged."""
    late: bool
    early_leave: bool
    head_count: int | None


# ---------------------------------------------------------------- intervals


def union(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same seconds as disjoint intervals in order, none of them touching another."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if merged and start <= merged[-1].end:
            merged[-1] = Interval(merged[-1].start, max(merged[-1].end, end))
        else:
            merged.append(Interval(start, end))
    return tuple(merged)


def bridge(intervals: Sequence[Interval], largest: int) -> tuple[tuple[Interval, ...], tuple[Interval, ...]]:
    """Close the gaps of at most `largest` seconds in a union; the intervals, and the gaps that were closed."""
    closed = tuple(
        Interval(before.end, after.start)
        for before, after in pairwise(intervals)
        if after.start - before.end <= largest
    )
    return union([*intervals, *closed]), closed


def common(left: Sequence[Interval], right: Sequence[Interval]) -> tuple[Interval, ...]:
    """The seconds in both unions."""
    found: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i].start, right[j].start), min(left[i].end, right[j].end)
        if start < end:
            found.append(Interval(start, end))
        if left[i].end < right[j].end:
            i += 1
        else:
            j += 1
    return tuple(found)


def seconds(intervals: Iterable[Interval]) -> int:
    """How many seconds there are."""
    return sum(end - start for start, end in intervals)


def is_good(slot: MediaEvidence, rules: RuleSet) -> bool:
    """Whether a slot is presence: media came from the lead; or it was sent, the source delivered, and enough was acknowledged."""
    if slot.publishes:
        return slot.packets > 0
    if slot.acknowledged is None or slot.packets <= 0 or slot.source_packets <= 0:
        return False
    return slot.acknowledged * 100 >= rules.good_slot_percent * slot.packets


def presence(media: Iterable[MediaEvidence], rules: RuleSet) -> tuple[Interval, ...]:
    """The seconds of good slots as a union, short interruptions not yet merged."""
    return union(Interval(_second(slot.started_at), _second(slot.ended_at)) for slot in media if is_good(slot, rules))


def _second(instant: datetime) -> int:
    return int(instant.timestamp() // 1)  # both ends of a slot fall the same way, so neighbours still touch


# ---------------------------------------------------------------- verdicts


@dataclass(frozen=True, slots=True)
class _Presence:
    """A side's presence, measured against the lesson."""

    intervals: tuple[Interval, ...]
    gaps: tuple[Interval, ...]
    inside: tuple[Interval, ...]
    common: int
    late: bool
    early_leave: bool


def judge(lesson: LessonEvidence, rules: RuleSet, now: datetime) -> dict[str, Judgement]:
    """The verdict of every side at `now`, by side id.

    A receiver or member that misses something stays UNJUDGED until the grace for late evidence has run out; so does a lead that
    waits for one. A lead's own presence is measured here and is final when the lesson is over.
    """
    window = _window(lesson, rules)
    required = rules.required_seconds(_second(lesson.ends_at) - _second(lesson.starts_at))
    graced = _second(now) >= window.end + rules.upload_grace_seconds
    bridged = {side.id: bridge(presence(side.media, rules), rules.merge_gap_seconds) for side in lesson.sides}
    lead = next(side for side in lesson.sides if side.side == "lead")
    measured = {
        side.id: _measure(bridged[side.id], bridged[lead.id][0], window, lesson, rules) for side in lesson.sides
    }
    taught = measured[lead.id].common >= required
    decided: dict[str, tuple[Verdict, str]] = {}
    for side in lesson.sides:
        if side.side != "lead":
            lacks = _lacking(side, measured[side.id], required, rules)
            decided[side.id] = _attending(lesson, side, measured[side.id], lacks, taught, lead.excuse, graced)
    decided[lead.id] = _leading(lesson, lead, measured[lead.id], taught, decided)
    return {side.id: _judgement(side, measured[side.id], required, *decided[side.id]) for side in lesson.sides}


def _window(lesson: LessonEvidence, rules: RuleSet) -> Interval:
    """P': the planned window, widened on the side of a declared shift."""
    shift = _shift(lesson, rules)
    return Interval(_second(lesson.starts_at) + min(shift, 0), _second(lesson.ends_at) + max(shift, 0))


def _shift(lesson: LessonEvidence, rules: RuleSet) -> int:
    return max(-rules.largest_shift_seconds, min(rules.largest_shift_seconds, lesson.shift_seconds))


def _measure(
    bridged: tuple[tuple[Interval, ...], tuple[Interval, ...]],
    lead: tuple[Interval, ...],
    window: Interval,
    lesson: LessonEvidence,
    rules: RuleSet,
) -> _Presence:
    intervals, gaps = bridged
    inside = common(intervals, [window])
    shift = _shift(lesson, rules)
    start, end = _second(lesson.starts_at) + shift, _second(lesson.ends_at) + shift
    return _Presence(
        intervals,
        gaps,
        inside,
        seconds(common(inside, lead)),
        bool(inside) and inside[0].start > start + rules.late_after_seconds,
        bool(inside) and inside[-1].end < end - rules.early_leave_before_seconds,
    )


def _lacking(side: SideEvidence, measured: _Presence, required: int, rules: RuleSet) -> str | None:
    """What an attending side still lacks to be valid, the weightiest first; None where it is valid."""
    if measured.common < required:
        return "below_required" if measured.inside else "no_presence"
    if side.side == "receiver" and rules.require_assistant and not side.signed_in:
        return "no_assistant"
    if side.side == "receiver" and rules.require_head_count and side.head_count is None:
        return "no_head_count"
    return None


def _attending(
    lesson: LessonEvidence,
    side: SideEvidence,
    measured: _Presence,
    lacks: str | None,
    taught: bool,
    lead_excuse: str | None,
    graced: bool,
) -> tuple[Verdict, str]:
    if lesson.cancelled is not None:
        return "EXCUSED", lesson.cancelled
    if not lesson.over:
        return "UNJUDGED", "not_over"
    if lacks is None:
        return "VALID", "valid"
    if side.excuse is not None:
        return "EXCUSED", side.excuse
    if not taught:
        return "EXCUSED", lead_excuse or "lead_did_not_teach"
    if not graced:
        return "UNJUDGED", lacks
    return ("INVALID" if measured.inside or side.signed_in else "UNEXCUSED"), lacks


def _leading(
    lesson: LessonEvidence,
    lead: SideEvidence,
    measured: _Presence,
    taught: bool,
    attending: Mapping[str, tuple[Verdict, str]],
) -> tuple[Verdict, str]:
    if lesson.cancelled is not None:
        return "EXCUSED", lesson.cancelled
    if not lesson.over:
        return "UNJUDGED", "not_over"
    verdicts = [verdict for verdict, _ in attending.values()]
    if taught and (not lesson.needs_receiver or "VALID" in verdicts):
        return "VALID", "valid"
    if lead.excuse is not None:
        return "EXCUSED", lead.excuse
    if not taught:
        return ("INVALID", "below_required") if measured.inside else ("UNEXCUSED", "no_presence")
    if "UNJUDGED" in verdicts:
        return "UNJUDGED", "no_valid_receiver"
    if verdicts and set(verdicts) == {"EXCUSED"}:
        return "EXCUSED", "receivers_excused"
    return "INVALID", "no_valid_receiver"


def _judgement(side: SideEvidence, measured: _Presence, required: int, verdict: Verdict, reason: str) -> Judgement:
    return Judgement(
        side.id,
        verdict,
        reason,
        seconds(measured.inside),
        measured.common,
        required,
        measured.intervals,
        measured.gaps,
        measured.late,
        measured.early_leave,
        side.head_count,
    )
