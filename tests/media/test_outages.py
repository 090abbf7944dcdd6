"""A line that is cut, or half of it: how much of it the evidence credits. Minutes pass on the relay's clock, not on ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from media_line import BadLine
from media_world import LEAD, ROOM, ScriptedPublisher, only
from waiting import until

from media.clients.counting import CountOnlySubscriber
from media.events import MediaEvent, MediaSlot, PeerId, SessionId
from media.housekeeping import TURNS
from media.relay import Relay
from media.values import RelayConfig
from rooms.attendance import Interval, MediaEvidence, presence
from rooms.rulesets import load_rules

BEGINNING = datetime(2026, 9, 7, 0, 0, tzinfo=UTC)
STEP = 1.0
RULES = replace(load_rules("attendance-2026.1"), merge_gap_seconds=0)


class Lesson:
    """A class whose every second the test lets pass: in each the lead sends, and the classroom reports on what it got."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.events: list[MediaEvent] = []
        self.relay = Relay(
            RelayConfig(),
            self.events.append,
            now=lambda: BEGINNING + timedelta(seconds=self.passed),
            monotonic=lambda: self.passed,
        )
        self.teacher = ScriptedPublisher()
        self.pupil = CountOnlySubscriber(report_every=3600)
        self.session = SessionId("")
        self.teach: Callable[[], None] = self._teach
        """What the lead does in a second."""

    async def start(self) -> None:
        await self.relay.start()
        self.line = BadLine(("127.0.0.1", self.relay.port))
        await self.line.start()
        await self.teacher.start(self.relay)
        await self.join()

    async def join(self) -> None:
        """The classroom comes, or comes again."""
        await self.pupil.close(silently=True)
        self.pupil = CountOnlySubscriber(report_every=3600)
        answer = await self.relay.subscribe(ROOM, LEAD, PeerId("pupil"), self.pupil.offer())
        await self.pupil.connect(self.line.through(answer.sdp))
        self.session = answer.session
        await until(lambda: self.relay.session(self.session).connected)

    def _teach(self) -> None:
        for _ in range(5):
            self.teacher.frame(key=True, packets=1)
            self.teacher.sound()

    async def go_on(self, duration: float, *, reports: bool = True) -> None:
        """Lets so many seconds pass."""
        for _ in range(int(duration / STEP)):
            self.teach()
            self.teacher.peer.check()
            self.pupil.peer.check()
            await asyncio.sleep(0.001)
            if reports:
                self.pupil.report()
            await asyncio.sleep(0.001)
            self.passed += STEP
            for _ in range(TURNS):
                self.relay.housekeeping.tick()

    async def close(self) -> None:
        await self.relay.close()
        self.line.close()
        await self.pupil.close()
        await self.teacher.close()

    def present(self, peer: str) -> tuple[Interval, ...]:
        """The seconds of the lesson in which the rules see the side, interruptions left open."""
        start = int(BEGINNING.timestamp())
        slots = [_evidence(slot) for slot in only(self.events, MediaSlot, peer=peer)]
        return tuple(Interval(a - start, b - start) for a, b in presence(slots, RULES))


def _evidence(slot: MediaSlot) -> MediaEvidence:
    publishes = slot.role == "publisher"
    return MediaEvidence(
        publishes, slot.started_at, slot.ended_at, slot.packets, slot.acknowledged, slot.source_packets
    )


@pytest.fixture
async def lesson() -> AsyncIterator[Lesson]:
    lesson = Lesson()
    await lesson.start()
    yield lesson
    await lesson.close()


@pytest.mark.parametrize("outage", [3, 15, 29, 31, 300])
async def test_a_cut_line_is_left_out_and_what_comes_back_goes_on(lesson: Lesson, outage: int) -> None:
    await lesson.go_on(34)
    lesson.line.cut = True
    await lesson.go_on(outage)
    lesson.line.cut = False
    survived = lesson.session in lesson.relay._sessions
    assert survived == (outage < 30), "consent is of 30 s"
    if not survived:
        await lesson.join()
    await lesson.go_on(40)
    await lesson.relay.close()
    end = 34 + outage + 40
    assert lesson.present("teacher") == (Interval(0, end),), "the lead noticed nothing"
    if outage == 3:
        (whole,) = lesson.present("pupil")
        assert (whole.start, end - 2 <= whole.end <= end) == (0, True), "less than half of a slot"
        return
    before, after = lesson.present("pupil")
    assert before.start == 0
    assert 32 <= before.end <= 34
    assert 34 + outage <= after.start <= 36 + outage
    assert end - 2 <= after.end <= end


async def test_whoever_gets_everything_and_tells_nothing_of_it_is_unknown(lesson: Lesson) -> None:
    """Its way to the relay loses all but connectivity checks."""
    await lesson.go_on(34)
    await lesson.go_on(60, reports=False)
    assert lesson.session in lesson.relay._sessions
    await lesson.go_on(40)
    await lesson.relay.close()
    assert lesson.pupil.lost == 0, "it was there"
    before, after = lesson.present("pupil")
    assert before.start == 0
    assert 32 <= before.end <= 34
    assert 94 - 18 <= after.start <= 94 + 2, "a late report confirms what is not yet told: a slot and its grace"
    slots = only(lesson.events, MediaSlot, peer="pupil")
    assert all(a.ended_at == b.started_at for a, b in pairwise(slots)), "and is told as such, second by second"
    unknown = [slot for slot in slots if slot.acknowledged is None]
    assert sum((slot.ended_at - slot.started_at).seconds for slot in unknown) >= 60 - 18
    assert min(slot.packets for slot in unknown[:-1]) > 0


async def test_what_arrives_first_after_a_stop_covers_none_of_it(lesson: Lesson) -> None:
    """The process was stopped; packets wait in the kernel, and are read before anything else is done."""
    await lesson.go_on(34)
    lesson.passed += 25  # consent is of thirty seconds
    lesson.pupil.report()
    lesson.teacher.sound()
    await asyncio.sleep(0.02)
    await lesson.go_on(20)
    await lesson.relay.close()
    stop = BEGINNING + timedelta(seconds=34), BEGINNING + timedelta(seconds=59)
    slots = only(lesson.events, MediaSlot)
    assert {slot.peer for slot in slots if slot.ended_at > stop[1]} == {"teacher", "pupil"}
    assert [slot for slot in slots if slot.started_at < stop[1] and slot.ended_at > stop[0]] == []


async def test_a_lead_that_only_pads_does_not_teach(lesson: Lesson) -> None:
    """A browser without a picture to send goes on probing its line."""
    await lesson.go_on(20)
    lesson.teach = lesson.teacher.padding
    await lesson.go_on(30)
    await lesson.relay.close()
    assert lesson.present("teacher") == (Interval(0, 20),)
    (there,) = lesson.present("pupil")
    assert there.end <= 20
