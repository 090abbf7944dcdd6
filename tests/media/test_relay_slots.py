"""Evidence slots: what a receiver report proves, of which seconds, and where knowledge ends."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.sessions.slots import PublisherSlots, Reading, Sent, SubscriberSlots


@dataclass
class Wire:
    """A stream whose packets the test sends by hand; its numbers begin at 1000."""

    packets: int = 0

    def send(self, count: int) -> None:
        self.packets += count

    def reading(self) -> Reading:
        return Reading(self.packets, self.packets * 100, 1000 + self.packets if self.packets else None)


def slots_of(*wires: Wire, seconds: float = 10.0, grace: float = 8.0) -> SubscriberSlots:
    return SubscriberSlots(wires, lambda: max(w.packets for w in wires), now=0.0, seconds=seconds, grace=grace)


def test_a_slot_is_told_when_reports_have_passed_it() -> None:
    wire = Wire()
    slots = slots_of(wire)
    wire.send(100)
    slots.cut(10.0)
    wire.send(50)
    assert slots.take(10.1) == []
    slots.report(0, first=1000, number=1049, lost=0, now=10.5)
    assert slots.take(10.5) == [], "only half of it is reported"
    slots.report(0, first=1000, number=1119, lost=0, now=11.0)
    (told,) = slots.take(11.0)
    assert (told.started, told.ended, told.packets, told.acknowledged, told.source_packets) == (
        0.0,
        10.0,
        100,
        100,
        100,
    )
    slots.report(0, first=1000, number=1149, lost=0, now=12.0)
    (rest,) = slots.close(12.0)
    assert (rest.started, rest.packets, rest.acknowledged) == (10.0, 50, 50), "20 of them were acknowledged before"


def test_a_slot_says_what_was_sent_at_its_end() -> None:
    wire, now = Wire(), [Sent("full", "h")]
    slots = SubscriberSlots([wire], lambda: wire.packets, now=0.0, seconds=10.0, grace=8.0, sent=lambda: now[0])
    wire.send(100)
    slots.report(0, first=1000, number=1059, lost=0, now=6.0)
    slots.cut(10.0)
    now[0] = Sent("audio")
    known, unknown = slots.take(18.0)
    assert (known.sent, unknown.sent) == (Sent("full", "h"), Sent("full", "h")), "also where it is told in two parts"
    wire.send(100)
    (told,) = slots.close(20.0)
    assert told.sent == Sent("audio", None)


def test_loss_is_shared_out_by_numbers() -> None:
    wire = Wire()
    slots = slots_of(wire)
    wire.send(100)
    slots.cut(10.0)
    wire.send(100)
    slots.cut(20.0)
    slots.report(0, first=1000, number=1199, lost=50, now=20.1)
    first, second = slots.take(20.1)
    assert (first.acknowledged, first.lost, second.acknowledged, second.lost) == (75, 25, 75, 25)


def test_without_reports_a_slot_is_unknown() -> None:
    wire = Wire()
    slots = slots_of(wire)
    wire.send(100)
    slots.cut(10.0)
    assert slots.take(17.9) == []
    (told,) = slots.take(18.0)
    assert (told.packets, told.acknowledged) == (100, None)


def test_reports_that_do_not_advance_prove_nothing() -> None:
    wire = Wire()
    slots = slots_of(wire)
    wire.send(100)
    slots.report(0, first=1000, number=1099, lost=0, now=9.0)
    slots.cut(10.0)
    assert [s.acknowledged for s in slots.take(10.0)] == [100]
    wire.send(100)
    for second in range(11, 20):
        slots.report(0, first=1000, number=1099, lost=0, now=float(second))
    slots.cut(20.0)
    slots.report(0, first=1000, number=1099, lost=0, now=21.0)
    assert [s.acknowledged for s in slots.take(30.0)] == [0], "it is heard of, and got nothing"


def test_where_reports_stop_the_slot_is_parted() -> None:
    wire = Wire()
    slots = slots_of(wire)
    wire.send(40)
    slots.report(0, first=1000, number=1039, lost=0, now=4.0)
    wire.send(60)
    slots.cut(10.0)
    known, unknown = slots.take(18.0)
    assert (known.started, known.ended, known.packets, known.acknowledged) == (0.0, 4.0, 40, 40)
    assert (unknown.started, unknown.ended, unknown.packets, unknown.acknowledged) == (4.0, 10.0, 60, None)


def test_at_the_end_slow_reports_on_sound_do_not_spoil_the_picture() -> None:
    picture, sound = Wire(), Wire()
    slots = slots_of(picture, sound, seconds=2.0)
    picture.send(60)
    sound.send(100)
    slots.report(0, first=1000, number=1059, lost=6, now=1.9)
    known, unknown = slots.close(2.0)
    assert (known.packets, known.acknowledged, known.lost) == (60, 54, 6), "nobody can know of the sound any more"
    assert (unknown.started, unknown.packets, unknown.acknowledged) == (1.9, 0, None)


def test_at_the_end_this_holds_for_earlier_slots_too() -> None:
    picture, sound = Wire(), Wire()
    slots = slots_of(picture, sound, seconds=2.0)
    picture.send(60)
    sound.send(100)
    slots.cut(2.0)
    picture.send(30)
    slots.report(0, first=1000, number=1089, lost=0, now=3.0)
    assert slots.take(3.0) == []
    assert [(s.packets, s.acknowledged) for s in slots.close(3.5)] == [(60, 60), (30, 30)]


def test_in_the_middle_missing_reports_on_sound_count_against_it() -> None:
    picture, sound = Wire(), Wire()
    slots = slots_of(picture, sound)
    picture.send(60)
    sound.send(100)
    slots.cut(10.0)
    slots.report(0, first=1000, number=1059, lost=0, now=11.0)
    (told,) = slots.take(18.0)
    assert (told.packets, told.acknowledged) == (160, 60)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.booleans()), min_size=1, max_size=60),
    st.integers(1, 5),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_packet_is_in_one_slot_and_none_is_acknowledged_twice(
    steps: list[tuple[int, int, bool]], grace: int
) -> None:
    """`steps`: packets sent, how many of them are reported as received (the rest lost), whether a slot ends."""
    wire, now, told, received = Wire(), 0.0, [], 0
    slots = slots_of(wire, grace=float(grace))
    for count, good, ends in steps:
        now += 1.0
        wire.send(count)
        received += min(count, good)
        if wire.packets:
            slots.report(0, first=1000, number=999 + wire.packets, lost=wire.packets - received, now=now)
        if ends:
            now += 0.5
            slots.cut(now)
        told += slots.take(now)
    told += slots.close(now + 1.0)
    assert sum(s.packets for s in told) == wire.packets
    assert sum(s.acknowledged or 0 for s in told) == received
    assert sum(s.lost for s in told) == wire.packets - received
    edges = [(s.started, s.ended) for s in told]
    assert all(a[1] == b[0] for a, b in itertools.pairwise(edges)), "the slots touch"


def test_a_publishers_slots_count_what_arrived() -> None:
    counters = [0, 0, 0]
    slots = PublisherSlots(lambda: (counters[0], counters[1], counters[2]), now=5.0, seconds=10.0)
    counters[:] = [100, 9000, 3]
    told = slots.take(slots.due_at)
    assert (told.started, told.ended, told.packets, told.octets, told.acknowledged, told.lost) == (
        5,
        15,
        100,
        9000,
        100,
        3,
    )
    assert slots.take(16.0).packets == 0


def test_time_in_which_the_process_stood_still_is_in_no_slot() -> None:
    wire, arrived = Wire(), (0, 0, 0)
    slots, publisher = slots_of(wire), PublisherSlots(lambda: arrived, now=0.0, seconds=10.0)
    wire.send(100)
    arrived = (100, 1000, 0)
    slots.report(0, first=1000, number=1099, lost=0, now=3.0)
    slots.stood_still(4.0, 24.0)
    told = publisher.stood_still(4.0, 24.0)
    assert told is not None
    assert (told.started, told.ended, told.packets) == (0.0, 4.0, 100)
    wire.send(10)
    assert [(each.started, each.ended) for each in slots.close(25.0)] == [(0.0, 4.0), (24.0, 25.0)]
    assert publisher.take(25.0).started == 24.0
