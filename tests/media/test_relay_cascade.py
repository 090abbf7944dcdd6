"""An edge between a room's origin and its own subscribers: each source once, repairs and wishes upstream, a new origin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from media_simulcast import Pupil, SimulcastPublisher
from media_world import LEAD, ROOM, ScriptedPublisher, join, only
from waiting import until

from media.cascade import Cascade, Pull, Pulled
from media.clients.peer import PAYLOAD_TYPES, Peer
from media.errors import NoFloor, NoPublisher
from media.events import EDGE, MediaEvent, MediaSlot, PeerId, RoomId, SourceName
from media.forwarding.publication import Publication
from media.orders import GiveFloor
from media.packets.rtp import HEADER
from media.relay import Relay
from media.rungs import Receivers
from media.sessions.publishing import PublisherSession
from media.values import RelayConfig

SCREEN = SourceName("screen")


class Direct:
    """Reaches the origin in this process; `name` says which one it is."""

    def __init__(self, **origins: Relay) -> None:
        self.origins, self.name = origins, next(iter(origins))
        self.asked = 0

    async def origin(self, room: RoomId) -> str | None:
        await asyncio.sleep(0)  # the placement is somewhere else
        return self.name or None

    async def pull(self, room: RoomId, source: SourceName, offer: str) -> Pulled:
        self.asked += 1
        answer = await self.origins[self.name].subscribe(room, source, PeerId(f"{EDGE}e"), offer)
        return Pulled(self.name, answer.sdp)

    async def close(self) -> None:
        return


def pulled(edge: Relay) -> list[Publication]:
    """What the edge has of the room."""
    return list(edge._rooms[ROOM].publications.values()) if ROOM in edge._rooms else []


@pytest.fixture
async def relays() -> AsyncIterator[tuple[list[Relay], list[MediaEvent]]]:
    """Two origins and an edge, and what the edge tells."""
    told: list[MediaEvent] = []
    config = RelayConfig(slot_seconds=0.5, slot_grace_seconds=0.5)
    made = [Relay(config, told.append if number == 2 else lambda event: None) for number in range(3)]
    for relay in made:
        await relay.start()
    yield made, told
    for relay in made:
        await relay.close()


@asynccontextmanager
async def cascading(edge: Relay, upstream: Direct) -> AsyncIterator[Cascade]:
    cascade = Cascade(edge, upstream)
    try:
        yield cascade
    finally:
        await cascade.close()


async def test_subscribers_of_an_edge_outlive_its_origin(relays: tuple[list[Relay], list[MediaEvent]]) -> None:
    (one, two, edge), told = relays
    upstream = Direct(one=one, two=two)
    first, second = ScriptedPublisher(), ScriptedPublisher()
    async with cascading(edge, upstream) as cascade:
        with pytest.raises(NoPublisher):
            await cascade.ensure(ROOM, LEAD)
        await first.start(one)
        first.stream()
        await until(lambda: one.snapshot(ROOM).layers != ())

        async def here() -> bool:
            await cascade.ensure(ROOM, LEAD)
            return pulled(edge)[0].publisher is not None

        assert await asyncio.gather(*(here() for _ in range(3))) == [True] * 3
        assert upstream.asked == 2  # the refused one, and one for all three
        classrooms = [(await join(edge, f"class-{number}"))[0] for number in range(2)]
        await until(lambda: all(each.packets > 100 for each in classrooms))
        assert len(one.snapshot(ROOM).sessions) == 2  # the publisher and the edge
        upstream.name = "two"  # placed anew
        await second.start(two)
        second.stream()
        await first.close(silently=True)
        await one.close()
        before = [each.packets for each in classrooms]
        await until(lambda: all(each.packets > had + 100 for each, had in zip(classrooms, before, strict=True)))
        assert [each.lost for each in classrooms] == [0, 0]  # the numbers go on where they were
        assert not any(each.ended.is_set() for each in classrooms)
        await until(lambda: any(slot.acknowledged for slot in only(told, MediaSlot)))
        slots = only(told, MediaSlot, peer=PeerId("class-0"))
        assert all(slot.source_packets >= slot.packets > 0 for slot in slots[:1])
        for each in classrooms:
            await each.close()
    assert edge.totals().rooms == 0
    assert pulled(edge) == []
    await second.close()


async def test_what_is_lost_or_wanted_at_an_edge_is_asked_for_at_the_origin(
    relays: tuple[list[Relay], list[MediaEvent]],
) -> None:
    (one, _, edge), _ = relays
    publisher = ScriptedPublisher()
    async with cascading(edge, Direct(one=one)) as cascade:
        await publisher.start(one)
        publisher.frame(key=True)
        await until(lambda: any(layer.keyframes for layer in one.snapshot(ROOM).layers))
        await cascade.ensure(ROOM, LEAD)
        classroom, _ = await join(edge, "class")
        asked = publisher.keyframes_asked
        await until(lambda: publisher.keyframes_asked > asked)  # a joiner's wish comes all the way
        publisher.stream()
        await until(lambda: classroom.packets > 20)
        (publication,) = pulled(edge)
        pull = publication.publisher
        lose, receive = 5, pull._peer.on_rtp

        def lossy(packet: memoryview) -> None:
            nonlocal lose
            if lose and packet[1] & 0x7F == 102:
                lose -= 1
            else:
                receive(packet)

        pull._peer.on_rtp = lossy
        await until(lambda: not lose)
        await until(lambda: sum(layer.retransmitted for layer in one.snapshot(ROOM).layers) >= 5)
        await until(lambda: classroom.lost == 0)
        await classroom.close()
        await publisher.close()


async def test_the_speakers_picture_comes_with_the_floor_alone(relays: tuple[list[Relay], list[MediaEvent]]) -> None:
    (one, _, edge), _ = relays
    speaker = SourceName("class:speaker")
    publisher = ScriptedPublisher()
    async with cascading(edge, Direct(one=one)) as cascade:
        await publisher.start(one, peer="speaker", source=speaker)
        publisher.stream()
        with pytest.raises(NoFloor):
            await cascade.ensure(ROOM, speaker)
        await one.carry_out(GiveFloor(ROOM, PeerId("speaker")))
        await cascade.ensure(ROOM, speaker)
        peer = Peer()
        await peer.connect((await edge.subscribe(ROOM, speaker, PeerId("listener"), peer.offer(sends=False))).sdp)
        await one.carry_out(GiveFloor(ROOM, None))
        await until(lambda: not cascade._keepers)  # the pull has ended
        with pytest.raises(NoFloor):
            await cascade.ensure(ROOM, speaker)
        await peer.close()
        await publisher.close()


async def test_every_layer_comes_to_an_edge_and_each_classroom_gets_its_own(
    relays: tuple[list[Relay], list[MediaEvent]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (one, _, edge), _ = relays
    monkeypatch.setattr(Receivers, "tick", lambda self, now: None)
    stage, upstream = SimulcastPublisher(), Direct(one=one)
    await stage.start(one)
    async with cascading(edge, upstream) as cascade:
        await cascade.ensure(ROOM, LEAD)
        (publication,) = pulled(edge)
        low, middle, high = publication.layers_of("video")
        pupils = [Pupil() for _ in range(3)]
        feeds = [await pupil.join(edge, f"class-{number}") for number, pupil in enumerate(pupils)]
        for feed, layer in zip(feeds, (low, middle, high), strict=True):
            feed.move(layer, edge.monotonic())
        stage.report()
        for number in range(10):
            stage.pictures(key="lmh" if number == 0 else "")
        await until(lambda: all(len(pupil.seen) == 30 for pupil in pupils))
        assert [pupil.rids for pupil in pupils] == ["l", "m", "h"]
        feeds[0].move(high, edge.monotonic())
        await until(lambda: stage.asked("h"))  # a wish for one layer comes all the way as one for that layer
        for number in range(3):
            stage.pictures(key="lmh" if number == 0 else "")
        await until(lambda: pupils[0].rids == "lh")
        assert pupils[0].continuous()
        plain = ScriptedPublisher()
        await plain.start(one)  # the teacher comes back with one size: the edge asks anew
        plain.stream()
        await until(lambda: publication.layers_of("video") == (high,))
        before = [len(pupil.seen) for pupil in pupils]
        await until(lambda: all(len(pupil.seen) > had + 20 for pupil, had in zip(pupils, before, strict=True)))
        for peer in (*(pupil.peer for pupil in pupils), plain):
            await peer.close()
    await stage.peer.close()


async def test_a_pull_ends_where_the_source_is_published_here(relays: tuple[list[Relay], list[MediaEvent]]) -> None:
    (one, _, edge), _ = relays
    there, here = ScriptedPublisher(), ScriptedPublisher()
    upstream = Direct(one=one)
    async with cascading(edge, upstream) as cascade:
        await there.start(one)
        there.stream()
        await until(lambda: one.snapshot(ROOM).layers != ())
        await cascade.ensure(ROOM, LEAD)
        assert len(one.snapshot(ROOM).sessions) == 2  # the publisher and the edge
        upstream.name = ""  # this worker has become the room's origin
        await here.start(edge)
        await until(lambda: len(one.snapshot(ROOM).sessions) == 1)
        assert isinstance(pulled(edge)[0].publisher, PublisherSession)
        await here.close()
    await there.close()


async def test_an_edge_asks_anew_where_the_picture_comes_in_another_codec(
    relays: tuple[list[Relay], list[MediaEvent]],
) -> None:
    """As many layers as before, and sound all along: nothing else tells the edge."""
    (one, _, edge), _ = relays
    first, upstream = ScriptedPublisher(), Direct(one=one)
    await first.start(one)
    first.stream()
    async with cascading(edge, upstream) as cascade:
        await cascade.ensure(ROOM, LEAD)
        pupil, _ = await join(edge, "pupil")
        (publication,) = pulled(edge)
        await until(lambda: PAYLOAD_TYPES["H264"] in pupil.streams)
        again = ScriptedPublisher()
        answer = await one.publish(ROOM, LEAD, PeerId("teacher"), again.peer.offer(sends=True, video=("VP8",)))
        await again.peer.connect(answer.sdp)

        def sounds_and_a_vp8_picture() -> bool:
            again.sound()
            head = HEADER.pack(0x80, 0x80 | PAYLOAD_TYPES["VP8"], again.audio_sequence, again.audio_sequence * 960, 779)
            again.peer.send_rtp(head + b"\x10\0\0\x9d\x01\x2a\x40\x01\xb4\x00")
            return PAYLOAD_TYPES["VP8"] in pupil.streams

        await until(sounds_and_a_vp8_picture)
        assert publication.tracks["video"].codec == "VP8"
        for peer in (pupil, again, first):
            await peer.close()


@pytest.mark.parametrize("step", [(Pull, "close"), (Relay, "carry_out")], ids=["replaced", "fresh"])
async def test_a_pull_given_up_as_it_comes_leaves_no_connection(
    relays: tuple[list[Relay], list[MediaEvent]], monkeypatch: pytest.MonkeyPatch, step: tuple[type, str]
) -> None:
    """The worker stops while the old connection to the origin ends, or while the speaker's floor is given."""
    (one, two, edge), _ = relays
    speaker, upstream = SourceName("class:speaker"), Direct(one=one, two=two)
    stages = [ScriptedPublisher(), ScriptedPublisher()]
    for relay, stage in zip((one, two), stages, strict=True):
        await stage.start(relay, peer="speaker", source=speaker)
        await relay.carry_out(GiveFloor(ROOM, PeerId("speaker")))
    reached, go_on, before = asyncio.Event(), getattr(*step), keepers()

    async def stuck(self: Any, *given: Any) -> None:
        if not reached.is_set():
            reached.set()
            await asyncio.sleep(60)
        await go_on(self, *given)

    async with cascading(edge, upstream) as cascade:
        if step[0] is Pull:
            await cascade.ensure(ROOM, speaker)
            upstream.name = "two"
        monkeypatch.setattr(*step, stuck)
        waiting = asyncio.ensure_future(cascade.ensure(ROOM, speaker))
        await reached.wait()
    await asyncio.wait({waiting})
    assert waiting.exception() is None or isinstance(waiting.exception(), NoPublisher)
    assert keepers() == before
    for stage in stages:
        await stage.close()


def keepers() -> set[asyncio.Task[Any]]:
    """The tasks of open connections to relays."""
    return {task for task in asyncio.all_tasks() if task.get_name() == "media-peer-keeper"}
