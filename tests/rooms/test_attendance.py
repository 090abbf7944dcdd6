"""The attendance rules: against the sentences of the rule set, and against a model that counts second by second."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooms.attendance import (
    Interval,
    Judgement,
    LessonEvidence,
    MediaEvidence,
    SideEvidence,
    bridge,
    common,
    judge,
    seconds,
    union,
)
from rooms.rulesets import RuleSet, load_rules, read_rules

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
BASE = int(START.timestamp())
RULES = load_rules("attendance-2026.1")
SMALL = replace(
    RULES,
    minimum_seconds=20,
    round_up_seconds=5,
    merge_gap_seconds=4,
    largest_shift_seconds=10,
    late_after_seconds=5,
    early_leave_before_seconds=5,
    upload_grace_seconds=30,
)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def sent(start: float, end: float, acknowledged: int | None = 1000, source: int = 1000) -> MediaEvidence:
    return MediaEvidence(False, at(start), at(end), 1000, acknowledged, source)


def taught(start: float, end: float, packets: int = 1000) -> MediaEvidence:
    return MediaEvidence(True, at(start), at(end), packets, None, 0)


def minutes(lead: Sequence[tuple[float, float]], *receivers: SideEvidence, **rest: object) -> dict[str, Judgement]:
    """Judges a lesson of 40 minutes, an hour after its end unless `now` is given in minutes."""
    now = at(60 * float(rest.pop("now", 100)))  # type: ignore[arg-type] # a number in every call
    media = [taught(60 * start, 60 * end) for start, end in lead]
    lesson = LessonEvidence(START, at(2400), [SideEvidence("lead", "lead", media), *receivers])
    return judge(replace(lesson, **rest), RULES, now)  # type: ignore[arg-type] # fields of LessonEvidence


def room(start: float, end: float, **rest: object) -> SideEvidence:
    """A receiving class that was there from minute to minute, signed in and counted."""
    side = SideEvidence("r", "receiver", [sent(60 * start, 60 * end)], signed_in=True, head_count=20)
    return replace(side, **rest)  # type: ignore[arg-type] # fields of SideEvidence


AFTER_GRACE = 40 + 48 * 60


def test_the_required_time_is_the_minimum_or_the_share_rounded_up() -> None:
    assert RULES.required_seconds(40 * 60) == 1800
    assert RULES.required_seconds(45 * 60) == 34 * 60
    assert RULES.required_seconds(20 * 60) == 1800
    assert RULES.required_seconds(2401) == 31 * 60


def test_thirty_minutes_together_are_valid_for_both() -> None:
    verdicts = minutes([(0, 40)], room(10, 40))
    assert [(v.verdict, v.reason) for v in verdicts.values()] == [("VALID", "valid")] * 2
    assert verdicts["r"].common_seconds == 1800
    assert verdicts["r"].late
    assert not verdicts["r"].early_leave


def test_one_second_less_is_not() -> None:
    short = room(10, 40, media=[sent(600, 2399)])
    assert minutes([(0, 40)], short)["r"].verdict == "UNJUDGED"
    after = minutes([(0, 40)], short, now=AFTER_GRACE)
    assert (after["r"].verdict, after["r"].reason) == ("INVALID", "below_required")
    assert (after["lead"].verdict, after["lead"].reason) == ("INVALID", "no_valid_receiver")


def test_only_time_together_with_the_lead_counts() -> None:
    verdicts = minutes([(0, 31)], room(5, 40), now=AFTER_GRACE)
    assert verdicts["r"].presence_seconds == 35 * 60
    assert verdicts["r"].common_seconds == 26 * 60
    assert verdicts["r"].verdict == "INVALID"


@pytest.mark.parametrize(
    ("missing", "reason"), [({"signed_in": False}, "no_assistant"), ({"head_count": None}, "no_head_count")]
)
def test_a_receiver_needs_its_assistant_and_its_head_count(missing: dict[str, object], reason: str) -> None:
    before, after = (
        minutes([(0, 40)], room(0, 40, **missing), now=now)["r"] for now in (AFTER_GRACE - 0.1, AFTER_GRACE)
    )
    assert (before.verdict, before.reason) == ("UNJUDGED", reason)
    assert (after.verdict, after.reason) == ("INVALID", reason)


def test_a_community_member_needs_neither() -> None:
    member = room(0, 40, side="member", signed_in=False, head_count=None)
    assert minutes([(0, 40)], member)["r"].verdict == "VALID"


def test_silence_is_failure() -> None:
    silent = SideEvidence("r", "receiver")
    assert minutes([(0, 40)], silent)["r"].verdict == "UNJUDGED"
    assert minutes([(0, 40)], silent, now=AFTER_GRACE)["r"].verdict == "UNEXCUSED"
    assert minutes([], silent)["lead"].verdict == "UNEXCUSED"


def test_a_lead_that_fails_excuses_its_receivers_at_once() -> None:
    verdicts = minutes([(0, 20)], room(0, 40))
    assert (verdicts["lead"].verdict, verdicts["lead"].reason) == ("INVALID", "below_required")
    assert (verdicts["r"].verdict, verdicts["r"].reason) == ("EXCUSED", "lead_did_not_teach")


def test_an_excused_lead_gives_its_receivers_its_reason() -> None:
    lesson = LessonEvidence(START, at(2400), [SideEvidence("lead", "lead", excuse="teacher_leave"), room(0, 40)])
    verdicts = judge(lesson, RULES, at(3600))
    assert {(v.verdict, v.reason) for v in verdicts.values()} == {("EXCUSED", "teacher_leave")}


def test_one_bad_receiver_spoils_nobody() -> None:
    bad = SideEvidence("bad", "receiver", [sent(0, 300)])
    verdicts = minutes([(0, 40)], room(0, 40), bad, now=AFTER_GRACE)
    assert [verdicts[side].verdict for side in ("lead", "r", "bad")] == ["VALID", "VALID", "INVALID"]


def test_a_network_lesson_needs_no_valid_receiver() -> None:
    silent = SideEvidence("r", "receiver")
    assert minutes([(0, 40)], silent, needs_receiver=False)["lead"].verdict == "VALID"


def test_when_every_receiver_is_excused_so_is_the_lead() -> None:
    verdicts = minutes([(0, 40)], SideEvidence("r", "receiver", excuse="power"))
    assert (verdicts["lead"].verdict, verdicts["lead"].reason) == ("EXCUSED", "receivers_excused")


def test_a_valid_side_stays_valid_whatever_its_excuse() -> None:
    assert minutes([(0, 40)], room(0, 40, excuse="network"))["r"].verdict == "VALID"


def test_a_cancelled_lesson_is_excused_on_both_sides() -> None:
    verdicts = minutes([], SideEvidence("r", "receiver"), cancelled="room_closed", now=-60)
    assert {(v.verdict, v.reason) for v in verdicts.values()} == {("EXCUSED", "room_closed")}


def test_nothing_is_judged_before_it_is_over() -> None:
    verdicts = minutes([(0, 35)], room(0, 35), over=False, now=35)
    assert {(v.verdict, v.reason) for v in verdicts.values()} == {("UNJUDGED", "not_over")}


def test_a_minute_without_a_line_is_a_reconnection_and_is_listed() -> None:
    twice = room(0, 0, media=[sent(0, 1000), sent(1060, 1860)])
    verdict = minutes([(0, 40)], twice)["r"]
    assert verdict.verdict == "VALID"
    assert verdict.gaps == (Interval(BASE + 1000, BASE + 1060),)
    longer = room(0, 0, media=[sent(0, 1000), sent(1061, 1860)])
    assert minutes([(0, 40)], longer)["r"].common_seconds == 1799


def test_a_declared_shift_widens_the_window() -> None:
    late = room(10, 50)
    plain, shifted = (minutes([(10, 50)], late, shift_seconds=shift)["r"] for shift in (0, 600))
    assert (plain.common_seconds, plain.late) == (1800, True)
    assert (shifted.common_seconds, shifted.late) == (2400, False)
    assert minutes([(10, 70)], room(10, 70), shift_seconds=3600)["r"].common_seconds == 45 * 60  # 15 minutes at most
    assert minutes([(-10, 30)], room(-10, 30), shift_seconds=-600)["r"].common_seconds == 2400


@pytest.mark.parametrize(
    ("slot", "counts"),
    [
        (sent(0, 2400, acknowledged=500), True),
        (sent(0, 2400, acknowledged=499), False),
        (sent(0, 2400, acknowledged=None), False),
        (sent(0, 2400, source=0), False),
        (MediaEvidence(False, START, at(2400), 0, 0, 1000), False),
    ],
)
def test_a_slot_counts_when_what_was_sent_arrived(slot: MediaEvidence, counts: bool) -> None:
    assert (minutes([(0, 40)], room(0, 0, media=[slot]))["r"].verdict == "VALID") is counts


def test_an_open_page_without_media_is_not_presence() -> None:
    assert minutes([(0, 40)], room(0, 0, media=[]), now=AFTER_GRACE)["r"].presence_seconds == 0
    nothing_sent = LessonEvidence(START, at(2400), [SideEvidence("lead", "lead", [taught(0, 2400, packets=0)])])
    assert judge(nothing_sent, RULES, at(3600))["lead"].verdict == "UNEXCUSED"


def test_a_rule_set_is_whole_or_refused() -> None:
    text = "\n".join(
        f"{name} = {value!r}".replace("True", "true").replace("'", '"')
        for name in RuleSet.__dataclass_fields__
        if (value := getattr(RULES, name)) is not None and name != "sha256"
    )
    assert read_rules(text, RULES.sha256) == RULES
    for broken in (
        text.replace("75", "101"),
        text.replace("1800", '"30 min"'),
        text + "\nbonus = 1",
        text.replace("60", "0"),
    ):
        with pytest.raises(ValueError):
            read_rules(broken, "")


# ---------------------------------------------------------------- second by second


def brute_force(lesson: LessonEvidence, rules: RuleSet, now: int) -> dict[str, tuple[str, int, int, bool, bool]]:
    """The same rules, counted second by second over a small day; → verdict, presence, common, late, early leave."""
    day = range(-60, 240)
    length = int((lesson.ends_at - lesson.starts_at).total_seconds())
    shift = min(rules.largest_shift_seconds, max(-rules.largest_shift_seconds, lesson.shift_seconds))
    window = [s for s in day if min(shift, 0) <= s < length + max(shift, 0)]
    share = next(s for s in range(0, 999, rules.round_up_seconds) if 100 * s >= rules.minimum_percent * length)
    needed = max(rules.minimum_seconds, share)
    there: dict[str, set[int]] = {}
    for side in lesson.sides:
        here: set[int] = set()
        for slot in side.media:
            enough = slot.packets > 0
            if not slot.publishes:
                heard = -1 if slot.acknowledged is None else slot.acknowledged
                enough = enough and slot.source_packets > 0 and heard / slot.packets >= rules.good_slot_percent / 100
            if enough:
                first, last = ((instant - START).total_seconds() // 1 for instant in (slot.started_at, slot.ended_at))
                here |= {s for s in day if first <= s < last}
        for before, after in pairwise(sorted(here)):
            if after - before - 1 <= rules.merge_gap_seconds:
                here |= set(range(before, after))
        there[side.id] = here
    lead = there["lead"]
    graced = now >= window[-1] + 1 + rules.upload_grace_seconds
    taught_enough = len(lead.intersection(window)) >= needed
    found: dict[str, tuple[str, int, int, bool, bool]] = {}
    for side in sorted(lesson.sides, key=lambda side: side.id == "lead"):
        inside = [s for s in window if s in there[side.id]]
        both = [s for s in inside if s in lead]
        others = [verdict for verdict, *_ in found.values()]
        complete = len(both) >= needed
        if side.side == "receiver":
            complete = complete and side.signed_in and side.head_count is not None
        if side.id == "lead" and lesson.needs_receiver:
            complete = complete and "VALID" in others
        if lesson.cancelled:
            verdict = "EXCUSED"
        elif not lesson.over:
            verdict = "UNJUDGED"
        elif complete:
            verdict = "VALID"
        elif side.excuse or (side.id != "lead" and not taught_enough):
            verdict = "EXCUSED"
        elif side.id == "lead" and taught_enough and "UNJUDGED" in others:
            verdict = "UNJUDGED"
        elif side.id == "lead" and taught_enough and others and all(v == "EXCUSED" for v in others):
            verdict = "EXCUSED"
        elif side.id != "lead" and not graced:
            verdict = "UNJUDGED"
        else:
            verdict = "INVALID" if inside or (side.id != "lead" and side.signed_in) else "UNEXCUSED"
        late = bool(inside) and min(inside) > shift + rules.late_after_seconds
        early = bool(inside) and max(inside) + 1 < length + shift - rules.early_leave_before_seconds
        found[side.id] = (verdict, len(inside), len(both), late, early)
    return found


def history(draw: random.Random) -> tuple[LessonEvidence, RuleSet, int]:
    """A random lesson of 30 to 90 seconds with up to three attending sides, by scaled-down rules."""
    rules = replace(
        SMALL,
        minimum_seconds=draw.choice([5, 20, 30]),
        round_up_seconds=draw.choice([1, 5, 7]),
        merge_gap_seconds=draw.choice([0, 1, 4]),
        good_slot_percent=draw.choice([50, 80]),
    )
    family = draw.choice(["receiver", "receiver", "member"])
    names = ["lead", *[f"side{n}" for n in range(draw.randint(0, 3))]]
    sides = [_side(draw, name, "lead" if name == "lead" else family) for name in names]
    lesson = LessonEvidence(
        START,
        at(draw.randint(30, 90)),
        sides,
        needs_receiver=draw.random() < 0.7,
        shift_seconds=draw.choice([0, 0, 7, -7, 15, -15]),
        over=draw.random() < 0.95,
        cancelled="power" if draw.random() < 0.05 else None,
    )
    return lesson, rules, draw.choice([95, 100, 115, 130, 200])


def _side(draw: random.Random, name: str, side: str) -> SideEvidence:
    media, second = [], draw.uniform(-20, 20)
    while second < 100 and draw.random() < 0.95:
        end = second + draw.choice([0.4, 3, 10, 25])
        packets = draw.choice([0, 10, 100, 100, 100, 100])
        acknowledged = draw.choice([None, packets, packets, packets, packets * 8 // 10, packets // 2, packets // 3])
        source = draw.choice([0, 50, 50, 50, 50, 50, 50])
        media.append(MediaEvidence(side == "lead", at(second), at(end), packets, acknowledged, source))
        second = draw.choice([end, end, end, end + draw.uniform(0, 8), second + 1])
    return SideEvidence(
        name,
        side,  # type: ignore[arg-type] # one of the three sides
        media,
        signed_in=draw.random() < 0.85,
        head_count=draw.choice([None, 12, 20, 20, 20]),
        excuse="network" if draw.random() < 0.08 else None,
    )


def summary(verdicts: dict[str, Judgement]) -> dict[str, tuple[str, int, int, bool, bool]]:
    return {k: (v.verdict, v.presence_seconds, v.common_seconds, v.late, v.early_leave) for k, v in verdicts.items()}


def test_ten_thousand_histories_agree_with_the_model() -> None:
    draw, seen = random.Random(20261122), set()
    for _ in range(10_000):
        lesson, rules, now = history(draw)
        verdicts = summary(judge(lesson, rules, at(now)))
        assert verdicts == brute_force(lesson, rules, now), (lesson, rules, now)
        seen |= {verdict for verdict, *_ in verdicts.values()}
    assert seen == {"VALID", "INVALID", "EXCUSED", "UNEXCUSED", "UNJUDGED"}  # the histories reach every verdict


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 2**32))
def test_order_and_repetition_change_nothing(shuffle: random.Random, seed: int) -> None:
    lesson, rules, now = history(random.Random(seed))
    mixed = []
    for side in lesson.sides:
        media = [*side.media, *shuffle.sample(list(side.media), len(side.media) // 2)]
        shuffle.shuffle(media)
        mixed.append(replace(side, media=media))
    shuffle.shuffle(mixed)
    assert judge(replace(lesson, sides=mixed), rules, at(now)) == judge(lesson, rules, at(now))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_a_valid_side_stays_valid_when_time_passes_and_more_comes_in(seed: int) -> None:
    draw = random.Random(seed)
    lesson, rules, now = history(draw)
    more = replace(lesson, sides=[replace(s, media=[*s.media, *_side(draw, s.id, s.side).media]) for s in lesson.sides])
    later = judge(more, rules, at(now + 50))
    for side_id, verdict in judge(lesson, rules, at(now)).items():
        assert verdict.verdict != "VALID" or later[side_id].verdict == "VALID"


intervals = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: Interval(*pair)), max_size=8)


@given(intervals, intervals, st.integers(0, 5))
def test_interval_arithmetic_is_that_of_sets(left: list[Interval], right: list[Interval], largest: int) -> None:
    def points(some: Sequence[Interval]) -> set[int]:
        return {second for interval in some for second in range(*interval)}

    first, second = union(left), union(right)
    assert points(first) == points(left)
    assert all(a.end < b.start for a, b in pairwise(first))
    assert points(common(first, second)) == points(first) & points(second)
    bridged, gaps = bridge(first, largest)
    assert points(bridged) == points(first) | points(gaps)
    assert points(first).isdisjoint(points(gaps))
    assert all(0 < gap.end - gap.start <= largest for gap in gaps)
    assert seconds(bridged) == len(points(bridged))
