"""Rungs: by choice, by what a line carries, and by what a publisher sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from media_simulcast import Pupil, SimulcastPublisher
from media_world import LEAD, ROOM, ScriptedPublisher
from waiting import until

from media.clients.counting import CountOnlySubscriber
from media.clients.peer import PAYLOAD_TYPES
from media.events import PeerId, SourceName
from media.ladder import Rung
from media.orders import ChooseRung
from media.packets import rtcp
from media.relay import Relay
from media.rungs import FRESH

H264, OPUS = PAYLOAD_TYPES["H264"], PAYLOAD_TYPES["OPUS"]
PUPIL, SCREEN = PeerId("pupil"), SourceName("screen")


async def choose(relay: Relay, rung: Rung | None) -> None:
    await relay.carry_out(ChooseRung(ROOM, PUPIL, rung))


async def test_each_rung_by_choice(relay: Relay, teacher: ScriptedPublisher) -> None:
    screen = ScriptedPublisher()
    await screen.start(relay, source=SCREEN)
    teacher.stream()
    screen.stream()
    reports: list[rtcp.Feedback] = []
    pupils = {source: CountOnlySubscriber(sample=20) for source in (LEAD, SCREEN)}
    for source, pupil in pupils.items():
        await pupil.connect((await relay.subscribe(ROOM, source, PUPIL, pupil.offer())).sdp)

    def count(source: SourceName, kind: int) -> int:
        return pupils[source].streams[kind].packets if kind in pupils[source].streams else 0

    async def flows() -> set[str]:
        """What comes in a quarter of a second."""
        await asyncio.sleep(0.05)
        names = {"camera": (LEAD, H264), "voice": (LEAD, OPUS), "writing": (SCREEN, H264)}
        before = {name: count(*what) for name, what in names.items()}
        await asyncio.sleep(0.25)
        return {name for name, what in names.items() if count(*what) > before[name]}

    await until(lambda: count(LEAD, H264) and count(SCREEN, H264))
    await relay.carry_out(ChooseRung(ROOM, PeerId("nobody"), "audio"))
    assert await flows() == {"camera", "voice", "writing"}
    for rung, wanted in (
        ("no_camera", {"voice", "writing"}),
        ("audio", {"voice"}),
        ("slides", {"voice", "writing"}),
        ("nothing", set()),
        (None, {"camera", "voice", "writing"}),
    ):
        await choose(relay, rung)  # type: ignore[arg-type] # literals

        async def as_chosen(wanted: set[str] = wanted) -> bool:
            return await flows() == wanted

        await until(as_chosen, rung or "full")
        views = [view for view in relay.snapshot(ROOM).sessions if view.peer == PUPIL]
        assert {view.rung for view in views} == {rung or "full"}
        assert {view.source for view in views if view.rid is not None} == {
            {"camera": LEAD, "writing": SCREEN}[name] for name in wanted - {"voice"}
        }
    assert [pupil.lost for pupil in pupils.values()] == [0, 0], "pauses are no gaps"
    await choose(relay, "nothing")
    pupils[LEAD].peer._on_rtcp = reports.append
    await until(lambda: sum(bool(report.reports) for report in reports) >= 2)
    again = CountOnlySubscriber()
    await again.connect((await relay.subscribe(ROOM, LEAD, PUPIL, again.offer())).sdp)
    await asyncio.sleep(0.3)
    assert again.packets == 0, "a choice outlives a connection"
    for peer in (*pupils.values(), again, screen):
        await peer.close()


@pytest.fixture
async def stage(relay: Relay) -> AsyncIterator[SimulcastPublisher]:
    """A publisher of three sizes that sends 25 pictures a second."""
    publisher = SimulcastPublisher()
    publisher.packets = {"l": 1, "m": 2, "h": 4}
    await publisher.start(relay)

    async def send() -> None:
        while True:
            publisher.pictures(key=publisher.RIDS if publisher.picture % 10 == 0 else "")
            publisher.sound()
            publisher.sound()
            await asyncio.sleep(0.04)

    sending = asyncio.create_task(send())
    yield publisher
    sending.cancel()
    await asyncio.wait({sending})
    await publisher.peer.close()


@pytest.fixture
def at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    """Receivers begin with the best they may have."""
    monkeypatch.setattr("media.rungs.BEGINNING", 0.0)


async def test_a_receiver_begins_with_the_smallest_picture_and_climbs(relay: Relay, stage: SimulcastPublisher) -> None:
    await until(lambda: all(layer.packets > 20 for layer in relay.snapshot(ROOM).layers))
    pupil = Pupil()
    await pupil.join(relay, "pupil")
    await until(lambda: len(pupil.seen) > 0)
    until_climbed = asyncio.create_task(until(lambda: pupil.rids == "lmh"))
    while not until_climbed.done():
        pupil.report()
        await asyncio.sleep(0.1)
    await until_climbed
    assert pupil.continuous()
    await pupil.peer.close()


@pytest.mark.usefixtures("at_the_top")
async def test_a_receiver_that_loses_much_gets_a_smaller_picture(relay: Relay, stage: SimulcastPublisher) -> None:
    pupil, other = Pupil(), Pupil()
    await pupil.join(relay, "pupil")
    await other.join(relay, "other")
    await until(lambda: len(pupil.seen) > 30)
    for tenth in range(150):
        pupil.report(lost=3 * tenth)
        other.report()
        await asyncio.sleep(0.1)
        if pupil.rids != "h":
            break
    assert pupil.rids[:2] in ("hm", "hl")
    view = relay.session(pupil.session)
    assert (view.rung, view.rid) == ("full", pupil.rids[-1])
    assert other.rids == "h", "the others' lines are good"
    for peer in (pupil.peer, other.peer):
        await peer.close()


@pytest.mark.usefixtures("at_the_top")
async def test_what_was_measured_before_a_pause_is_forgotten(relay: Relay, stage: SimulcastPublisher) -> None:
    pupil = Pupil()
    await pupil.join(relay, "pupil")
    await until(lambda: len(pupil.seen) > 10)
    session, now = relay._sessions[pupil.session], relay.monotonic()
    receiver = relay._rooms[ROOM].receivers[PUPIL]
    receiver._shortest, receiver._since = 40.0, now - 0.5
    session.round_trip, session.measured_at, session.limit = 900.0, now, (90_000, now)  # type: ignore[attr-defined] # a subscriber's
    found = receiver._condition(now + 0.5)
    assert (found.queue_ms and round(found.queue_ms), found.limit) == (851, 90_000)
    found = receiver._condition(now + 1.0)
    assert (found.queue_ms, found.limit) == (None, 90_000), "a measurement is taken once"
    assert receiver._condition(now + FRESH).limit is None
    await pupil.peer.close()


@pytest.mark.usefixtures("at_the_top")
async def test_a_layer_that_the_publisher_stops_is_left(relay: Relay, stage: SimulcastPublisher) -> None:
    pupil = Pupil()
    await pupil.join(relay, "pupil")
    await until(lambda: pupil.rids == "h")
    stage.running = "lm"
    await until(lambda: pupil.rids == "hm")
    stage.running = "lmh"
    await until(lambda: pupil.rids == "hmh")
    await pupil.peer.close()
