"""A class from its first visitor to its verdicts: life cycle, evidence stored once, restarts, late evidence, the sweep."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from live_class import CLASSROOM, END, PIN, START, TEACHER, Lesson, Ordered, slots
from sqlalchemy import func, select
from sqlalchemy.event import listen, remove
from waiting import until

from config.settings import Settings
from media.events import RoomId
from media.orders import CloseRoom
from rooms.bus.memory import MemoryBus
from rooms.judging import Stored, judge_lesson, lessons_to_judge, recompute, verdict_values
from rooms.live.board import LateItem, LiveBoard
from rooms.planning.changes import cancel, declare_shift, excuse_side
from rooms.refusals import Conflict, Invalid, NotFound
from rooms.rulesets import load_rules
from rooms.store import Actor, Store
from rooms.tables import AuditLeaf, EvidenceEvent, Occurrence, OccurrenceSide, Verdict

RULES = load_rules("attendance-2026.1")
Hold = Callable[..., Any]


async def verdicts(store: Store, lesson: Lesson) -> dict[str, tuple[str, str]]:
    async with store.read() as session:
        rows = await session.scalars(select(Verdict).where(Verdict.occurrence_id == lesson.id))
        found = {row.side_id: (row.verdict, row.reason) for row in rows}
    names = {lesson.lead: "lead", lesson.near: "near", lesson.far: "far"}
    return {names[side]: verdict for side, verdict in found.items()}


async def state_of(store: Store, lesson: Lesson) -> str:
    async with store.read() as session:
        return str(await session.scalar(select(Occurrence.state).where(Occurrence.id == lesson.id)))


async def counted(store: Store, table: type[AuditLeaf | EvidenceEvent], **where: str) -> int:
    async with store.read() as session:
        return await session.scalar(select(func.count()).select_from(table).filter_by(**where)) or 0


async def assert_recomputable(store: Store, lesson: Lesson, clock: Any) -> None:
    """What is stored is what the evidence amounts to."""
    async with store.read() as session:
        found = await recompute(session, RULES, lesson.id, clock.now())
        stored = {
            row.side_id: row for row in await session.scalars(select(Verdict).where(Verdict.occurrence_id == lesson.id))
        }
        assert found.keys() == stored.keys()
        for side, judgement in found.items():
            values = verdict_values(judgement, RULES)
            assert {name: getattr(stored[side], name) for name in values} == values


async def test_the_whole_way(store: Store, board: LiveBoard, lesson: Lesson, hold: Hold, clock: Any) -> None:
    await board.enter(TEACHER, lesson.lead)
    for side in (lesson.lead, lesson.near, lesson.far):
        state = await board.self_test(CLASSROOM, side, {"picture": True, "sound": True})
    assert state.state == "ready"
    await hold(far=10)
    state = await board.close_class(TEACHER, lesson.id)
    assert state.state == "ended"  # the far class may still hand in evidence
    assert await verdicts(store, lesson) == {
        "lead": ("VALID", "valid"),
        "near": ("VALID", "valid"),
        "far": ("UNJUDGED", "below_required"),
    }
    await assert_recomputable(store, lesson, clock)
    clock.advance(hours=48)
    await board.sweep()
    assert (await verdicts(store, lesson))["far"] == ("INVALID", "below_required")
    assert await state_of(store, lesson) == "judged"
    await assert_recomputable(store, lesson, clock)
    near = next(side for side in (await board.state(lesson.id) or state).sides if side.id == lesson.near)
    assert (near.assistant, near.present, near.expected, near.verdict) == ("孙助", 28, 30, "VALID")


async def test_everyone_sees_who_is_there(board: LiveBoard, bus: MemoryBus, lesson: Lesson, clock: Any) -> None:
    heard: list[dict[str, Any]] = []

    async def listen(started: asyncio.Event) -> None:
        async with bus.subscribe(f"live:{lesson.id}") as messages:
            started.set()
            async for message in messages:
                heard.append(message)

    started = asyncio.Event()
    listener = asyncio.create_task(listen(started))
    await started.wait()
    await board.open_class(TEACHER, lesson.id)
    clock.time = START + timedelta(seconds=30)
    events = slots(lesson.id, lesson.near, 0, 0.5)
    for event in events[:-1]:
        board.on_media_event(event)
    await board.flush()
    near = await _side(board, lesson, lesson.near)
    assert (near.connected, near.quality) == (True, "good")
    clock.advance(seconds=40)
    assert not (await _side(board, lesson, lesson.near)).connected  # nothing more was heard: the relay died
    clock.time = START + timedelta(seconds=30)
    board.on_media_event(events[-1])
    await board.flush()
    assert not (await _side(board, lesson, lesson.near)).connected
    listener.cancel()
    await asyncio.gather(listener, return_exceptions=True)
    assert {"type": "slot", "side": lesson.near, "quality": "good"} in heard
    assert [message["state"] for message in heard if message["type"] == "state"][-1] == "live"


async def _side(board: LiveBoard, lesson: Lesson, side: str) -> Any:
    state = await board.state(lesson.id)
    assert state is not None
    return next(each for each in state.sides if each.id == side)


async def test_at_least_once_in_exactly_once_stored(store: Store, board: LiveBoard, lesson: Lesson, hold: Hold) -> None:
    await hold()
    before = await counted(store, EvidenceEvent, kind="slot")
    again = [*slots(lesson.id, lesson.lead, 0, 40, publishes=True), *slots(lesson.id, lesson.near, 0, 40)]
    random.Random(7).shuffle(again)
    for event in again + again[:50]:
        board.on_media_event(event)
    await board.flush()
    assert await counted(store, EvidenceEvent, kind="slot") == before == 2 * 240


async def test_evidence_of_a_foreign_side_is_left_out_and_holds_up_nobody(
    store: Store, board: LiveBoard, lesson: Lesson
) -> None:
    for event in [
        *slots("f" * 32, lesson.near, 0, 1),
        *slots(lesson.id, "0" * 32, 0, 1),
        *slots(lesson.id, lesson.near, 0, 1, jitter_ms=float("nan")),
        *slots(lesson.id, lesson.far, 0, 1),
    ]:
        board.on_media_event(event)
    await board.flush()
    async with store.read() as session:
        sides = set(await session.scalars(select(EvidenceEvent.side_id).where(EvidenceEvent.kind == "slot")))
    assert lesson.far in sides
    assert sides <= {lesson.far, lesson.near}


async def test_a_new_board_knows_everything(
    store: Store, lesson: Lesson, hold: Hold, board: LiveBoard, bus: MemoryBus, settings: Settings, clock: Any
) -> None:
    await hold(far=40)
    restarted = LiveBoard(store, clock, bus, RULES, settings, Ordered())
    assert await restarted.state(lesson.id) == await board.state(lesson.id)
    await restarted.close_class(TEACHER, lesson.id)
    assert (await verdicts(store, lesson))["near"] == ("VALID", "valid")


async def test_the_last_slots_come_after_the_end_and_count(
    store: Store, board: LiveBoard, lesson: Lesson, hold: Hold, clock: Any
) -> None:
    await hold(near=29)
    await board.close_class(TEACHER, lesson.id)
    assert (await verdicts(store, lesson))["near"] == ("UNJUDGED", "below_required")
    for event in slots(lesson.id, lesson.near, 29, 30, session="late"):
        board.on_media_event(event)
    await board.flush()
    assert await verdicts(store, lesson) == {
        "lead": ("VALID", "valid"),
        "near": ("VALID", "valid"),
        "far": ("UNJUDGED", "no_presence"),
    }
    await assert_recomputable(store, lesson, clock)


async def test_a_late_head_count_of_a_classroom_without_a_line(
    store: Store, board: LiveBoard, lesson: Lesson, hold: Hold, clock: Any
) -> None:
    await board.sign_in(CLASSROOM, lesson.far, 2, PIN)
    await hold(far=40)
    await board.close_class(TEACHER, lesson.id)
    assert (await verdicts(store, lesson))["far"] == ("UNJUDGED", "no_head_count")
    clock.advance(hours=5)
    items = [
        LateItem("a1", "self_test", START - timedelta(minutes=1), {"picture": True}),
        LateItem("a2", "head_count", START + timedelta(minutes=1), {"present": 5}),
    ]
    assert await board.hand_in(CLASSROOM, lesson.far, items) == 2
    assert await board.hand_in(CLASSROOM, lesson.far, items) == 0
    assert (await verdicts(store, lesson))["far"] == ("VALID", "valid")
    assert await state_of(store, lesson) == "judged"
    async with store.read() as session:
        late = (
            await session.scalars(select(EvidenceEvent.kind).where(EvidenceEvent.late).order_by(EvidenceEvent.seq))
        ).all()
    assert set(late) == {"self_test", "head_count"}
    await assert_recomputable(store, lesson, clock)
    clock.advance(hours=48)
    with pytest.raises(Conflict, match="evidence_late"):
        await board.hand_in(CLASSROOM, lesson.far, [LateItem("a3", "head_count", START, {"present": 5})])


@pytest.mark.parametrize(
    "item",
    [
        LateItem("a", "slot", START, {}),
        LateItem("", "self_test", START, {}),
        LateItem("a", "self_test", END + timedelta(days=1), {}),
        LateItem("a", "self_test", START - timedelta(days=1), {}),
        LateItem("a", "head_count", START, {"present": -1}),
        LateItem("a", "head_count", START, {"present": True}),
        LateItem("a", "sign_in", START, {"assistant": 2}),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_late_evidence_that_makes_no_sense_is_refused(
    store: Store, board: LiveBoard, lesson: Lesson, clock: Any, item: LateItem
) -> None:
    clock.time = END + timedelta(hours=1)
    with pytest.raises(Invalid, match="evidence_malformed"):
        await board.hand_in(CLASSROOM, lesson.near, [item])
    assert await counted(store, EvidenceEvent) == 0


async def test_a_class_nobody_ended_ends_by_itself(
    store: Store, board: LiveBoard, lesson: Lesson, hold: Hold, clock: Any, media: Ordered
) -> None:
    await hold(far=40)
    await board.sweep()
    assert (await state_of(store, lesson), media.orders) == ("live", [])
    clock.advance(minutes=5)
    await board.sweep()
    assert media.orders == [CloseRoom(RoomId(lesson.id))], "classrooms' cameras may still be on"
    assert (await verdicts(store, lesson))["near"] == ("VALID", "valid")
    async with store.read() as session:
        row = await session.scalar(select(AuditLeaf).where(AuditLeaf.action == "class.close"))
        assert row is not None
        assert row.actor == "system"


async def test_media_that_has_not_heard_of_the_end_is_ended_again(
    board: LiveBoard, lesson: Lesson, hold: Hold, clock: Any, media: Ordered
) -> None:
    await hold()
    await board.close_class(TEACHER, lesson.id)
    media.orders.clear()
    for minute, expected in ((40, []), (41, [CloseRoom(RoomId(lesson.id))])):
        for event in slots(lesson.id, lesson.near, minute - 1, minute, session=f"deaf {minute}"):
            board.on_media_event(event)
        await board.flush()
        assert media.orders[:1] == expected


@pytest.mark.parametrize("cancelled", [False, True])
async def test_who_came_early_to_a_class_that_was_never_opened_does_not_stay(
    store: Store,
    board: LiveBoard,
    lesson: Lesson,
    clock: Any,
    media: Ordered,
    county: str,
    planner: Actor,
    cancelled: bool,
) -> None:
    early = slots(lesson.id, lesson.lead, -5, 46, publishes=True)
    for event in early[:4]:
        board.on_media_event(event)
    await board.flush()
    if cancelled:
        clock.time = START
        await cancel(store, planner, clock, lesson.id, reason="teacher_leave", county=county)
    else:
        clock.time = END
    over = clock.time
    await board.sweep()
    for event in early[4:-1]:
        if event.ended_at <= over + timedelta(seconds=30):
            board.on_media_event(event)
    await board.flush()
    assert media.orders == [], "the end is on its way"
    board.on_media_event(next(each for each in early[4:-1] if each.ended_at > over + timedelta(seconds=30)))
    await board.flush()
    assert media.orders == [CloseRoom(RoomId(lesson.id))]


async def test_a_class_that_goes_on_is_not_ended(store: Store, board: LiveBoard, lesson: Lesson, clock: Any) -> None:
    await board.open_class(TEACHER, lesson.id)
    clock.time = END + timedelta(minutes=6)
    for event in slots(lesson.id, lesson.lead, 0, 46, publishes=True)[:-1]:
        board.on_media_event(event)
    await board.flush()
    await board.sweep()
    assert await state_of(store, lesson) == "live"
    clock.advance(minutes=10)
    await board.sweep()
    assert await state_of(store, lesson) == "ended"  # the lead is not heard any more
    assert (await verdicts(store, lesson))["lead"] == ("UNJUDGED", "no_valid_receiver")


async def test_a_class_whose_teacher_comes_back_meanwhile_is_not_ended(
    store: Store, board: LiveBoard, lesson: Lesson, clock: Any, media: Ordered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the sweep's look and the end of the class; other classes are ended meanwhile, which takes its time."""
    await board.open_class(TEACHER, lesson.id)
    clock.time = END + timedelta(minutes=6)

    async def later(work: Any, occurrence_id: str) -> None:
        for event in slots(lesson.id, lesson.lead, 45, 46, publishes=True)[:-1]:
            board.on_media_event(event)
        await board.flush()
        await work

    monkeypatch.setattr(board, "_alone", later)
    await board.sweep()
    assert (await state_of(store, lesson), media.orders) == ("live", [])


async def test_silence_is_failure(store: Store, board: LiveBoard, lesson: Lesson, clock: Any) -> None:
    clock.time = END
    await board.sweep()
    assert await verdicts(store, lesson) == {
        "lead": ("UNEXCUSED", "no_presence"),
        "near": ("EXCUSED", "lead_did_not_teach"),
        "far": ("EXCUSED", "lead_did_not_teach"),
    }
    assert await state_of(store, lesson) == "judged"
    acts = await counted(store, AuditLeaf, action="lesson.judge", object=f"occurrence:{lesson.id}")
    await board.sweep()
    assert await counted(store, AuditLeaf, action="lesson.judge", object=f"occurrence:{lesson.id}") == acts == 1


async def test_a_cancelled_lesson_is_excused_and_shut(
    store: Store, board: LiveBoard, lesson: Lesson, clock: Any, county: str, planner: Actor
) -> None:
    await cancel(store, planner, clock, lesson.id, reason="teacher_leave", note="病假", county=county)
    with pytest.raises(Conflict, match="occurrence_cancelled"):
        await board.enter(CLASSROOM, lesson.near)
    with pytest.raises(Conflict, match="occurrence_cancelled"):
        await board.open_class(TEACHER, lesson.id)
    await board.sweep()
    assert set((await verdicts(store, lesson)).values()) == {("EXCUSED", "teacher_leave")}
    assert await state_of(store, lesson) == "cancelled"


async def test_an_excuse_accepted_later_is_judged_anew(
    store: Store, board: LiveBoard, lesson: Lesson, hold: Hold, clock: Any, county: str, planner: Actor
) -> None:
    await hold()
    await board.close_class(TEACHER, lesson.id)
    clock.advance(hours=50)
    await board.sweep()
    assert (await verdicts(store, lesson))["far"] == ("UNEXCUSED", "no_presence")
    clock.advance(hours=1)
    await excuse_side(store, planner, clock, lesson.far, reason="power", county=county)
    await board.sweep()
    assert (await verdicts(store, lesson))["far"] == ("EXCUSED", "power")
    await assert_recomputable(store, lesson, clock)


async def test_an_excuse_is_judged_that_waited_for_a_judging(
    store: Store, board: LiveBoard, lesson: Lesson, hold: Hold, clock: Any, county: str, planner: Actor
) -> None:
    """The lesson is judged anew, after the planner's click and before the excuse is stored."""
    await hold()
    await board.close_class(TEACHER, lesson.id)
    clock.advance(hours=50)
    async with store.write() as session:
        assert await judge_lesson(session, RULES, lesson.id, clock.now() + timedelta(seconds=1))
        excusing = asyncio.create_task(excuse_side(store, planner, clock, lesson.far, reason="power", county=county))
        await asyncio.sleep(0.3)
    await excusing
    clock.advance(minutes=1)
    await board.sweep()
    assert (await verdicts(store, lesson))["far"] == ("EXCUSED", "power")
    async with store.read() as session:
        assert await lessons_to_judge(session, RULES, clock.now()) == []


async def test_an_excuse_that_changes_nothing_is_judged_once(
    store: Store, board: LiveBoard, lesson: Lesson, hold: Hold, clock: Any, county: str, planner: Actor
) -> None:
    await hold()
    await board.close_class(TEACHER, lesson.id)
    clock.advance(hours=50)
    await excuse_side(store, planner, clock, lesson.near, reason="power", county=county)
    before = await verdicts(store, lesson)
    clock.advance(seconds=1)
    await board.sweep()
    after = await verdicts(store, lesson)
    assert before["near"] == after["near"] == ("VALID", "valid")
    async with store.read() as session:
        assert await lessons_to_judge(session, RULES, clock.now()) == []


async def test_a_lesson_that_cannot_be_judged_keeps_no_other_from_it(
    store: Store, board: LiveBoard, lesson: Lesson, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.time = END + timedelta(days=2)
    async with store.read() as session:
        first, *others = await lessons_to_judge(session, RULES, clock.now())
    assert lesson.id in (first, *others)
    assert others

    async def stumbling(session: Any, rules: Any, occurrence_id: str, now: Any) -> bool:
        if occurrence_id == first:
            raise RuntimeError
        return await judge_lesson(session, rules, occurrence_id, now)

    monkeypatch.setattr("rooms.live.board.judge_lesson", stumbling)
    await board.sweep()
    async with store.read() as session:
        assert await lessons_to_judge(session, RULES, clock.now()) == [first]


async def test_the_doors_open_in_time(board: LiveBoard, lesson: Lesson, clock: Any, store: Store, county: str) -> None:
    clock.time = START - timedelta(minutes=30, seconds=1)
    with pytest.raises(Conflict, match="too_early"):
        await board.enter(CLASSROOM, lesson.near)
    clock.advance(seconds=1)
    await board.enter(CLASSROOM, lesson.near)
    await board.enter(CLASSROOM, lesson.near)
    assert await counted(store, EvidenceEvent, kind="entered") == 1
    clock.time = END
    with pytest.raises(Conflict, match="occurrence_over"):
        await board.open_class(TEACHER, lesson.id)
    clock.advance(minutes=30)
    with pytest.raises(Conflict, match="occurrence_over"):
        await board.enter(CLASSROOM, lesson.near)
    with pytest.raises(NotFound, match="side_unknown"):
        await board.enter(CLASSROOM, "0" * 32)


async def test_a_declared_shift_moves_the_doors(
    board: LiveBoard, lesson: Lesson, clock: Any, store: Store, county: str, planner: Actor
) -> None:
    await declare_shift(store, planner, clock, lesson.id, seconds=600, county=county)
    with pytest.raises(Invalid, match="shift_too_large"):
        await declare_shift(store, planner, clock, lesson.id, seconds=901, county=county)
    clock.time = END + timedelta(minutes=9)
    assert (await board.open_class(TEACHER, lesson.id)).state == "live"


async def test_ended_too_early_goes_on(store: Store, board: LiveBoard, lesson: Lesson, clock: Any) -> None:
    await board.open_class(TEACHER, lesson.id)
    clock.time = START + timedelta(minutes=3)
    await board.close_class(TEACHER, lesson.id)
    assert (await verdicts(store, lesson))["lead"][0] == "UNEXCUSED"
    state = await board.open_class(TEACHER, lesson.id)
    assert (state.state, state.closed_at) == ("live", None)
    for event in [*slots(lesson.id, lesson.lead, 3, 40, publishes=True)]:
        board.on_media_event(event)
    await board.flush()
    clock.time = END
    await board.close_class(TEACHER, lesson.id)
    assert (await verdicts(store, lesson))["lead"] == ("UNJUDGED", "no_valid_receiver")
    await board.close_class(TEACHER, lesson.id)
    assert await counted(store, AuditLeaf, action="class.close") == 2


async def test_only_the_own_schools_assistant_signs_in(store: Store, board: LiveBoard, lesson: Lesson) -> None:
    with pytest.raises(NotFound, match="unknown_assistant"):
        await board.sign_in(CLASSROOM, lesson.far, 1, PIN)
    with pytest.raises(Invalid, match="wrong_pin"):
        await board.sign_in(CLASSROOM, lesson.near, 1, "2581")
    assert await counted(store, EvidenceEvent, kind="sign_in") == 0
    state = await board.sign_in(CLASSROOM, lesson.near, 1, PIN)
    assert next(side for side in state.sides if side.id == lesson.near).assistant == "孙助"
    state = await board.sign_out(CLASSROOM, lesson.near)
    assert next(side for side in state.sides if side.id == lesson.near).assistant is None


@pytest.mark.parametrize("present", [0, -1, 2001])
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_head_count_has_a_range(board: LiveBoard, lesson: Lesson, present: int) -> None:
    with pytest.raises(Invalid, match="head_count_range"):
        await board.head_count(CLASSROOM, lesson.near, present)


async def test_every_act_stands_in_the_log(store: Store, board: LiveBoard, lesson: Lesson, hold: Hold) -> None:
    await board.enter(CLASSROOM, lesson.near)
    await hold()
    await board.close_class(TEACHER, lesson.id)
    async with store.read() as session:
        found = await session.scalars(select(AuditLeaf.action).order_by(AuditLeaf.index))
        assert list(found) == [
            "plan.publish",
            "class.enter",
            "class.open",
            "class.sign_in",
            "class.head_count",
            "class.close",
            "lesson.judge",
        ]


async def test_the_tasks_of_a_board_begin_and_end(
    store: Store, lesson: Lesson, bus: MemoryBus, settings: Settings, clock: Any
) -> None:
    clock.time = END
    board = LiveBoard(store, clock, bus, RULES, settings, Ordered())
    await board.start()
    for event in slots(lesson.id, lesson.near, 0, 1):
        board.on_media_event(event)
    await board.close()
    assert await counted(store, EvidenceEvent, kind="slot") == 6


def test_evidence_is_gone_through_once_however_many_sides_there_are() -> None:
    looked = 0

    class Event:
        kind, source, until = "sign_in", "person", None

        def __init__(self, side_id: str) -> None:
            self._side_id = side_id

        @property
        def side_id(self) -> str:
            nonlocal looked
            looked += 1
            return self._side_id

    lesson = Occurrence(
        starts_at=START,
        ends_at=END,
        state="ended",
        shift_seconds=0,
        family="delivery",
        kind="lesson",
        cancel_reason=None,
    )
    sides = [OccurrenceSide(id=f"side{number}", side="lead" if number == 0 else "receiver") for number in range(100)]
    events: Any = [Event(side.id) for side in sides for _ in range(10)]
    found = Stored(lesson, sides, events).evidence(END)
    assert all(side.signed_in for side in found.sides)
    assert looked <= 2 * len(events)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_what_pages_say_of_themselves_makes_no_state_slower(
    store: Store, board: LiveBoard, lesson: Lesson, clock: Any
) -> None:
    await board.open_class(TEACHER, lesson.id)
    for _ in range(20):
        board.page_stats(CLASSROOM, lesson.id, lesson.near, {"sessions": 1})
    await board.flush()
    assert await counted(store, EvidenceEvent, kind="page_stats") == 20
    read = 0

    def count(*_: Any) -> None:
        nonlocal read
        read += 1

    listen(EvidenceEvent, "load", count)
    try:
        await board.state(lesson.id)
    finally:
        remove(EvidenceEvent, "load", count)
    assert read == 1, "the class was opened"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_sweep_that_fails_is_not_the_last(
    store: Store, lesson: Lesson, bus: MemoryBus, settings: Settings, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stumbling(LiveBoard):
        sweeps = 0

        async def sweep(self) -> None:
            self.sweeps += 1
            if self.sweeps == 1:
                raise RuntimeError
            await super().sweep()

    monkeypatch.setattr("rooms.live.board.SWEEP_SECONDS", 0.001)
    clock.time = END
    board = Stumbling(store, clock, bus, RULES, settings, Ordered())
    await board.start()

    async def judged() -> bool:
        return await state_of(store, lesson) == "judged"

    await until(judged, "a verdict")
    await board.close()
