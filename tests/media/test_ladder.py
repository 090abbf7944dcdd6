"""The ladder: what is sent when a line does not carry everything."""

from __future__ import annotations

import itertools
import random
from typing import get_args

import pytest

from media.events import SourceName
from media.ladder import (
    BEGIN_HOLD,
    FIRST_HOLD,
    LONGEST_HOLD,
    RUNGS,
    TOP,
    Condition,
    Picture,
    Place,
    Rung,
    Standing,
    Step,
    at,
    begin,
    judge,
    steps,
)

LEAD, SCREEN, FLOOR = SourceName("lead"), SourceName("screen"), SourceName("class:b")
CLASS = (
    Picture(LEAD, (110_000, 400_000, 1_200_000), "camera"),
    Picture(SCREEN, (500_000,), "screen"),
    Picture(FLOOR, (100_000, 300_000), "floor"),
)
SOUND = 60_000


def shown(step: Step) -> str:
    return f"{step.place.rung} " + " ".join(f"{source}:{layer}" for source, layer in step.layers.items())


def test_the_steps_of_a_whole_class() -> None:
    assert [shown(step) for step in steps(CLASS, SOUND, "full")] == [
        "full lead:2 screen:0 class:b:1",
        "full lead:1 screen:0 class:b:0",
        "full lead:0 screen:0 class:b:0",
        "no_camera screen:0 class:b:0",
        "slides screen:0",
        "audio ",
    ]


def test_writing_stays_sharp_until_faces_are_small() -> None:
    pictures = (CLASS[0], Picture(SCREEN, (200_000, 800_000), "screen"))
    assert [shown(step) for step in steps(pictures, SOUND, "full")][:4] == [
        "full lead:2 screen:1",
        "full lead:1 screen:1",
        "full lead:0 screen:1",
        "full lead:0 screen:0",
    ]


def test_small_pictures_of_classrooms_are_never_large_and_go_before_the_floor() -> None:
    small = [Picture(SourceName(f"class:{n}"), (100_000, 300_000), "small") for n in range(3)]
    assert [shown(step) for step in steps([*small, CLASS[2]], SOUND, "full")] == [
        "full class:0:0 class:1:0 class:2:0 class:b:1",
        "full class:0:0 class:1:0 class:2:0 class:b:0",
        "no_camera class:b:1",
        "no_camera class:b:0",
        "audio ",
    ]


@pytest.mark.parametrize(
    ("most", "first"),
    [
        ("full", "full lead:2 screen:0 class:b:1"),
        ("no_camera", "no_camera screen:0 class:b:1"),
        ("slides", "slides screen:0"),
        ("audio", "audio "),
        ("nothing", "nothing "),
    ],
)
def test_a_choice_is_the_most_that_is_sent(most: Rung, first: str) -> None:
    found = steps(CLASS, SOUND, most)
    assert shown(found[0]) == first
    assert (found[-1].place.rung == "nothing") == (most == "nothing"), "silence is never come to but by choice"
    assert shown(steps(CLASS[:1], SOUND, "slides")[0]) == "slides ", "also where nothing is projected"


def test_each_step_is_cheaper_and_the_last_is_sound() -> None:
    chance = random.Random(4)
    assert get_args(Rung) == RUNGS
    for _ in range(300):
        pictures = [
            Picture(
                SourceName(str(n)),
                tuple(sorted(chance.randrange(1, 2_000_000) for _ in range(chance.randint(1, 4)))),
                chance.choice(("camera", "screen", "floor", "small")),
            )
            for n in range(chance.randrange(5))
        ]
        found = steps(pictures, SOUND, "full")
        assert all(a.bits > b.bits and a.place.depth < b.place.depth for a, b in itertools.pairwise(found))
        assert (found[-1].layers, found[-1].bits) == ({}, SOUND)
        assert found[0].place == TOP


class Wire:
    """A line with a capacity and a queue of 0.6 s; tells what a receiver behind it would report."""

    def __init__(self, bits: int, *, remb: bool, random_loss: float = 0.0) -> None:
        self.bits, self.remb, self.random_loss = bits, remb, random_loss
        self.queue = self.passed = 0.0

    def carry(self, sent: int, seconds: float) -> Condition:
        self.passed += seconds
        queue = self.queue + (sent - self.bits) * seconds
        most = 0.6 * self.bits
        lost = max(0.0, queue - most) / max(1.0, sent * seconds)
        self.queue = min(max(0.0, queue), most)
        share = 1 - (1 - lost) * (1 - self.random_loss)
        limit = int(0.85 * self.bits) if self.queue > 0 else int(1.5 * sent)
        told_of = self.passed - 0.5 - self.queue / self.bits
        return Condition(share, limit if self.remb else None, 1000 * self.queue / self.bits, sent, told_of)


class Watched:
    """A receiver on the ladder behind a wire."""

    def __init__(self, wire: Wire, most: Rung = "full") -> None:
        self.wire, self.standing, self.now = wire, Standing(), 0.0
        self.ladder = steps(CLASS, SOUND, most)
        self.changes: list[tuple[float, Place]] = []

    @property
    def step(self) -> Step:
        return self.ladder[at(self.standing.place, self.ladder)]

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            window = 0.5 if self.standing.bad or self.standing.probing(self.now) else 1.0
            condition = self.wire.carry(self.step.bits, window)
            self.now += window
            before = self.standing.place
            self.standing = judge(self.standing, self.ladder, condition, self.now)
            if self.standing.place != before:
                self.changes.append((self.now, self.standing.place))


@pytest.mark.parametrize("remb", [True, False])
@pytest.mark.parametrize("capacity", [2_500_000, 1_200_000, 900_000, 700_000, 600_000, 150_000, 70_000])
def test_a_thin_line_gets_what_it_carries_soon_and_rests(capacity: int, remb: bool) -> None:
    watched = Watched(Wire(capacity, remb=remb))
    best = next(step for step in watched.ladder if step.bits <= capacity)
    watched.run(10)
    if best.place == TOP:
        assert watched.changes == []
        return
    assert watched.changes[0][0] <= 4, "down within seconds"
    watched.run(300)
    late = [when for when, _ in watched.changes if when > 120]
    assert len(late) <= 8, "a mistaken step up is repeated ever more seldom"
    assert watched.standing.hold == LONGEST_HOLD
    steady = Watched(Wire(capacity, remb=remb))
    seconds = {step.place: 0 for step in steady.ladder}
    for _ in range(300):
        steady.run(1)
        seconds[steady.standing.place] += 1
    assert max(seconds, key=lambda place: seconds[place]) == best.place


@pytest.mark.parametrize("capacity", [5_000_000, 600_000, 150_000])
def test_a_receiver_begins_low_and_is_soon_where_its_line_allows(capacity: int) -> None:
    watched = Watched(Wire(capacity, remb=False))
    watched.standing = begin(watched.standing, watched.ladder, 0.0)
    full = [step for step in watched.ladder if step.place.rung == "full"]
    assert watched.step == full[-1], "the smallest pictures, and all of them"
    assert begin(watched.standing, watched.ladder, 1.0) == watched.standing
    watched.run(3.0 * len(full))
    best = next(step for step in watched.ladder if step.bits <= capacity)
    if best.place == TOP:
        assert watched.standing.place == TOP
    watched.run(300)
    assert watched.standing.hold in ((BEGIN_HOLD, FIRST_HOLD) if best.place == TOP else (LONGEST_HOLD,))


def test_a_step_up_waits_until_the_last_one_is_told_of() -> None:
    """In front of a thin line a queue grows for seconds before the first report comes through it."""
    ladder = steps(CLASS, SOUND, "full")
    low = begin(Standing(), ladder, 0.0)
    once = judge(low, ladder, Condition(0.0, None, 0.0, 200_000, told_of=2.0), 3.0)
    assert at(once.place, ladder) == at(low.place, ladder) - 1
    again = once
    for tenth in range(31, 90):
        again = judge(again, ladder, Condition(0.0, None, 0.0, 600_000, told_of=3.9), tenth / 10)
    assert again.place == once.place, "what was sent until then was little more than before"
    told = judge(once, ladder, Condition(0.0, None, 450.0, 600_000, told_of=4.1), 5.5)
    assert told.place == low.place, "it was wrong, and is taken back at once"
    assert not told.probing(5.6)
    assert judge(once, ladder, Condition(0.0, None, 0.0, 600_000, told_of=4.1), 5.5).place.depth < once.place.depth


def test_a_measurement_counts_once() -> None:
    """Between two of them nothing is known: a queue that drains slowly is not taken for one that stands."""
    ladder = steps(CLASS, SOUND, "full")
    standing = Standing(place=Place("full", 1), changed_at=0.0, queue_ms=900.0)
    for second, queue in enumerate((860.0, None, 800.0, None, None, 700.0), 10):
        standing = judge(standing, ladder, Condition(None, None, queue, 300_000, told_of=0.5), float(second))
        assert (standing.bad, standing.place) == (0, Place("full", 1))
    for second in (20, 21):
        standing = judge(standing, ladder, Condition(None, None, 700.0, 300_000, told_of=0.5), float(second))
    assert standing.place.depth > Place("full", 1).depth


def test_a_line_that_recovers_gets_everything_again() -> None:
    watched = Watched(Wire(200_000, remb=True))
    watched.run(20)
    assert watched.standing.place.rung in ("slides", "audio")
    watched.wire.bits = 5_000_000
    watched.run(120)
    assert watched.standing.place == TOP
    assert [place.depth for _, place in watched.changes if _ > 20] == sorted(
        (place.depth for when, place in watched.changes if when > 20), reverse=True
    ), "step by step"


def test_loss_that_pictures_do_not_cause_leaves_the_smallest() -> None:
    """A radio link loses a sixth of everything: retransmission mends small pictures."""
    watched = Watched(Wire(10_000_000, remb=False, random_loss=0.16))
    watched.run(60)
    assert {place for when, place in watched.changes if when > 10} <= {Place("no_camera", 1), Place("slides")}
    hopeless = Watched(Wire(10_000_000, remb=False, random_loss=0.4))
    hopeless.run(30)
    assert hopeless.standing.place.rung == "audio"


def test_a_publishers_trouble_is_not_the_receivers() -> None:
    """Its estimate falls when packets come late from the publisher, but nothing is lost and no queue stands."""
    ladder = steps(CLASS, SOUND, "full")
    standing = Standing()
    for second in range(60):
        standing = judge(standing, ladder, Condition(0.0, 90_000, 20.0, ladder[0].bits), float(second))
    assert standing.place == TOP


def test_silence_decides_nothing() -> None:
    ladder = steps(CLASS, SOUND, "full")
    standing = judge(Standing(), ladder, Condition(None, None, 0.0, 0), 1.0)
    assert standing == Standing()
