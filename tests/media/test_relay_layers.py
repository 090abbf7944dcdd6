"""Layers of a track: taps, simulcast by rid, and subscribers that change between layers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from media_simulcast import PICTURE, Pupil, SimulcastPublisher
from media_world import DELTA, LEAD, ROOM, ScriptedPublisher, join, only
from waiting import until

from media.clients.peer import EXTENSIONS, PAYLOAD_TYPES, Peer
from media.events import MediaEvent, MediaSlot, PeerId
from media.forwarding.layer import Layer
from media.packets import rtcp, rtp, vp8
from media.packets.sequence import Kept
from media.relay import Relay
from media.rungs import Receivers
from media.sessions.subscribing import SubscriberSession
from media.signalling.negotiation import RID

H264 = PAYLOAD_TYPES["H264"]


@pytest.fixture
async def stage(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SimulcastPublisher]:
    """A connected publisher of three sizes, silent at first; the test decides who is on which, not the ladder."""
    monkeypatch.setattr(Receivers, "tick", lambda self, now: None)
    monkeypatch.setattr("media.rungs.BEGINNING", 0.0)
    publisher = SimulcastPublisher()
    await publisher.start(relay)
    yield publisher
    await publisher.peer.close()


def layers(relay: Relay) -> dict[str, Layer]:
    return {layer.rid: layer for layer in relay._rooms[ROOM].publications[LEAD].layers_of("video")}


class Listening:
    """A tap that notes numbers, and one that breaks when told so."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.numbers: list[int] = []
        self._breaks = breaks

    def take(self, layer: Layer, kept: Kept, now: float) -> None:
        self.numbers.append(kept.number)
        if self._breaks:
            raise ValueError("no disk")


async def test_taps_hear_every_packet_and_harm_nobody(
    relay: Relay, teacher: ScriptedPublisher, caplog: pytest.LogCaptureFixture
) -> None:
    (layer,) = relay._rooms[ROOM].publications[LEAD].layers_of("video")
    good, bad = Listening(), Listening(breaks=True)
    layer.taps |= {good, bad}
    pupil, _ = await join(relay, "pupil")
    teacher.frame(key=True)
    lost = teacher.video_sequence
    teacher.video_sequence += 1
    teacher.frame()
    await until(lambda: H264 in pupil.streams and pupil.streams[H264].packets == 6)
    teacher.video(b"\x41late", sequence=lost)
    await until(lambda: len(good.numbers) == 7)
    first = good.numbers[0]
    assert good.numbers == [first + n for n in (0, 1, 2, 4, 5, 6, 3)], (
        "in order of arrival, numbered in order of sending"
    )
    assert len(bad.numbers) == 1
    assert layer.taps == {good}
    assert "media_tap_failed" in caplog.text
    await pupil.close()


@pytest.mark.parametrize("wide", [False, True])
async def test_layers_are_told_apart_by_rid_and_then_by_ssrc(relay: Relay, wide: bool) -> None:
    publisher = SimulcastPublisher(wide=wide)
    await publisher.start(relay)
    assert list(layers(relay)) == ["l", "m", "h"]
    for number in range(5):
        publisher.pictures(key="lmh" if number == 0 else "")
    await until(lambda: [layer.packets for layer in layers(relay).values()] == [15, 15, 15])
    publisher.frame("m", packets=4, skip=2)
    lost = publisher.sequences["m"] - 2
    await until(lambda: any((1002, lost) in feedback.nacks for feedback in publisher.heard))
    publisher.repair("m", lost, DELTA + b"mrepaired")
    await until(lambda: layers(relay)["m"].packets == 19)
    assert layers(relay)["m"].ring.get(layers(relay)["m"].next_out - 2).payload == DELTA + b"mrepaired"  # type: ignore[union-attr] # it is there
    publisher.ssrcs["l"], publisher.tagged["l"] = 4444, 0
    publisher.frame("l")
    publisher.frame("h")
    await until(lambda: layers(relay)["h"].packets == 18)
    assert layers(relay)["l"].packets == 15, "nobody knows whose these are"
    views = [(view.rid, view.packets) for view in relay.snapshot(ROOM).layers if view.kind == "video"]
    assert views == [("l", 15), ("m", 19), ("h", 18)]
    await publisher.peer.close()


async def test_each_subscriber_is_on_its_own_layer_and_sees_one_stream(relay: Relay, stage: SimulcastPublisher) -> None:
    pupils = [Pupil() for _ in range(4)]
    feeds = [await pupil.join(relay, f"class-{n}") for n, pupil in enumerate(pupils)]
    by_rid, now = layers(relay), relay.monotonic
    stage.pictures(key="lmh")
    stage.report()
    await until(lambda: all(len(pupil.seen) == 3 for pupil in pupils))
    for feed, rid in zip(feeds, "lmh", strict=False):
        feed.move(by_rid[rid], now())
    for _ in range(3):
        stage.pictures()
    await until(lambda: all(len(pupil.seen) == 12 for pupil in pupils))
    assert {pupil.rids for pupil in pupils} == {"h"}, "until a key picture of the layer they go to"
    await until(lambda: stage.asked("l") and stage.asked("m"))
    stage.pictures(key="lm")
    for _ in range(20):
        stage.pictures()
    await until(lambda: all(len(pupil.seen) == 75 for pupil in pupils))
    assert [pupil.rids for pupil in pupils] == ["hl", "hm", "h", "h"]
    assert all(pupil.continuous() for pupil in pupils)
    for pupil in pupils:
        timestamps = [packet.timestamp for packet in pupil.seen if packet.index == 0]
        assert {(b - a) & 0xFFFFFFFF for a, b in itertools.pairwise(timestamps)} == {PICTURE}, (
            "on the publisher's clock"
        )
    feeds[0].move(by_rid["h"], now())
    feeds[0].move(None, now())
    stage.pictures(key="lmh")
    await until(lambda: len(pupils[3].seen) == 78)
    await asyncio.sleep(0.05)
    assert len(pupils[0].seen) == 75, "paused at once"
    feeds[0].move(by_rid["l"], now())
    await until(lambda: len(pupils[0].seen) == 78)
    assert pupils[0].rids == "hl", "continues with the key picture that came in the pause"
    assert pupils[0].continuous()
    for pupil in pupils:
        await pupil.peer.close()


@pytest.mark.parametrize("rtx", [False, True])
async def test_what_was_lost_before_a_switch_is_sent_again_after_it(
    relay: Relay, stage: SimulcastPublisher, rtx: bool
) -> None:
    pupil = Pupil(rtx=rtx)
    pupil.loses = {2, 6, 13, 21, 35}
    feed = await pupil.join(relay, "pupil")
    by_rid = layers(relay)
    stage.pictures(key="lmh")
    await until(lambda: pupil.came == 3)
    for rid, there in (("l", 12), ("m", 24), ("h", 36)):  # on the way up the last smaller picture is seen too
        feed.move(by_rid[rid], relay.monotonic())
        stage.pictures()
        stage.pictures(key=rid)
        stage.pictures()
        await until(lambda there=there: pupil.came == there)
    assert pupil.rids == "hlmh"
    (ssrc,), first = pupil.ssrcs, pupil.seen[0].sequence
    wanted = [(first + at - 1) & 0xFFFF for at in sorted(pupil.loses)]
    never_sent = [(first - 1) & 0xFFFF, (first + 36) & 0xFFFF]
    pupil.peer.send_rtcp(rtcp.nack(1, ssrc, [*wanted, *never_sent]))
    await until(lambda: pupil.came == 41)
    await asyncio.sleep(0.05)
    assert [packet.repaired for packet in pupil.seen[31:]] == [rtx] * 5
    pupil.seen.sort(key=lambda packet: packet.sequence - first & 0xFFFF)
    assert pupil.continuous(), "without any sender report: by arrival"
    for picture in (pupil.seen[at : at + 3] for at in range(0, 36, 3)):
        assert len({(packet.rid, packet.picture, packet.timestamp) for packet in picture}) == 1
        assert [packet.index for packet in picture] == [0, 1, 2]
    await pupil.peer.close()


async def test_what_a_layer_lacked_before_a_switch_takes_no_number_that_was_given(
    relay: Relay, stage: SimulcastPublisher
) -> None:
    """It comes after the key picture with which a subscriber came to the layer: that one's number was another packet's there."""
    pupil, before = Pupil(), Pupil()
    pupil.loses = {5}
    feed, other = await pupil.join(relay, "pupil"), await before.join(relay, "before")
    low = layers(relay)["l"]
    other.move(low, relay.monotonic())
    stage.pictures(key="lmh")
    await until(lambda: (pupil.came, len(before.seen)) == (3, 3))
    feed.move(low, relay.monotonic())
    stage.picture += 1
    stage.frame("l", skip=1)
    stage.frame("h")
    await until(lambda: (pupil.came, len(before.seen)) == (6, 5))
    stage.pictures(key="l")
    await until(lambda: (pupil.came, len(before.seen)) == (9, 8))
    stage.repair("l", stage.sequences["l"] - 5, DELTA + b"l" + bytes((2, 1)))
    await until(lambda: len(before.seen) == 9)
    stage.pictures()
    await until(lambda: (pupil.seen[-1].picture, before.seen[-1].index) == (4, 2))
    assert pupil.rids == "hl"
    assert (pupil.came, feed.reading().packets, other.reading().packets) == (12, 12, 12)
    (ssrc,), lost = pupil.ssrcs, pupil.seen[3].sequence + 1
    pupil.peer.send_rtcp(rtcp.nack(1, ssrc, [lost & 0xFFFF]))
    await until(lambda: pupil.came == 13)
    assert pupil.seen[-1][2:5] == ("h", 2, 1)
    for peer in (pupil.peer, before.peer):
        await peer.close()


async def test_pictures_ids_of_vp8_go_on(relay: Relay, stage: SimulcastPublisher) -> None:
    """Chromium shows nothing of a picture whose id lies before the last one's."""
    teacher = Peer()
    answer = await relay.publish(ROOM, LEAD, PeerId("teacher"), teacher.offer(sends=True, video=("VP8",), rids="lh"))
    await teacher.connect(answer.sdp)
    await until(lambda: relay.session(answer.session).connected)
    seen: list[vp8.Ids] = []
    pupil = Peer(on_rtp=lambda raw: seen.append(vp8.ids(rtp.parse(pupil.channel.unprotect(bytes(raw))).payload)))  # type: ignore[arg-type,union-attr] # all have ids
    answer = await relay.subscribe(ROOM, LEAD, PeerId("pupil"), pupil.offer(sends=False))
    await pupil.connect(answer.sdp)
    await until(lambda: relay.session(answer.session).connected)
    session = relay._sessions[answer.session]
    assert isinstance(session, SubscriberSession)
    feed = session.feeds[1]
    ids = {"l": (100, 250), "h": (32_767, 40)}

    def picture(number: int, *, key: bool) -> None:
        for rid, (first, base) in ids.items():
            tag = stage.extension(EXTENSIONS[RID], rid.encode())
            head = rtp.HEADER.pack(0x90, 0x80 | PAYLOAD_TYPES["VP8"], 500 + number, number * 3600, ord(rid))
            body = (0x8000 | first + number & 0x7FFF).to_bytes(2, "big") + bytes((base + number & 255, 0x20, not key))
            teacher.send_rtp(head + tag + b"\x90\xe0" + body + b"picture")

    for number in range(12):
        if number in (3, 6, 9):
            feed.move(layers(relay)["lhl"[number // 3 - 1]], relay.monotonic())
        picture(number, key=number % 3 == 0)
        await until(lambda n=number: len(seen) >= n + 1)
    await until(lambda: len(seen) == 13)  # on the way up the last smaller picture is seen too
    steps = [((b.picture - a.picture) % 0x8000, (b.base - a.base) % 256) for a, b in itertools.pairwise(seen)]
    assert set(steps) == {(1, 1)}
    for peer in (teacher, pupil):
        await peer.close()


async def test_evidence_counts_in_the_subscribers_own_numbers(
    relay: Relay, stage: SimulcastPublisher, events: list[MediaEvent]
) -> None:
    pupil = Pupil()
    feed = await pupil.join(relay, "pupil")
    by_rid = layers(relay)
    stage.pictures(key="lmh")
    await until(lambda: len(pupil.seen) == 3)
    for number in range(24):
        if number % 6 == 0:
            feed.move(by_rid["lmhl"[number // 6]], relay.monotonic())
        stage.pictures(key="lmh" if number % 6 == 1 else "")
        await asyncio.sleep(0.05)
        pupil.report()
    await until(lambda: len(pupil.seen) == 81)
    session = relay._sessions[pupil.session]
    assert isinstance(session, SubscriberSession)
    pupil.report()
    await until(lambda: session.line()[0] >= 81, "the report of the last packet")
    assert pupil.rids == "hlmhl"
    await relay.close_session(pupil.session)
    slots = only(events, MediaSlot, peer="pupil")
    assert len(slots) >= 2
    assert sum(slot.packets for slot in slots) == 81
    assert sum(slot.acknowledged or 0 for slot in slots) == 81
    assert {slot.lost for slot in slots} == {0}
    await pupil.peer.close()


async def test_a_publisher_may_come_back_with_other_layers(
    relay: Relay, stage: SimulcastPublisher, caplog: pytest.LogCaptureFixture
) -> None:
    low, high = Pupil(), Pupil()
    feed = await low.join(relay, "low")
    await high.join(relay, "high")
    best = layers(relay)["h"]
    stage.pictures(key="lmh")
    await until(lambda: len(low.seen) == 3)
    feed.move(layers(relay)["l"], relay.monotonic())
    stage.pictures(key="lmh")
    stage.pictures()
    await until(lambda: low.rids == "hl" and len(high.seen) == 9)
    packets = relay.totals().packets_in
    plain = ScriptedPublisher()
    await plain.start(relay)
    assert list(layers(relay).values()) == [best], "the best layer is the same for as long as the source lives"
    plain.frame(key=True)
    plain.frame()
    await until(lambda: len(low.seen) == len(high.seen) == 15)
    assert all(
        {(b.sequence - a.sequence) & 0xFFFF for a, b in itertools.pairwise(pupil.seen)} == {1} for pupil in (low, high)
    )
    assert relay.totals().packets_in == packets + 6
    again = SimulcastPublisher()
    await again.start(relay)
    assert list(layers(relay)) == ["l", "m", "h"]
    again.pictures(key="lmh")
    await until(lambda: len(low.seen) == len(high.seen) == 18)
    assert "media_session_failed" not in caplog.text
    for peer in (low.peer, high.peer, plain.peer, again.peer):
        await peer.close()


async def test_what_is_sent_again_never_crowds_out_what_is_new(relay: Relay, stage: SimulcastPublisher) -> None:
    pupil = Pupil()
    feed = await pupil.join(relay, "pupil")
    for number in range(20):
        stage.pictures(key="lmh" if number == 0 else "")
    await until(lambda: pupil.came == 60)
    pupil.loses = set(range(61, 200))
    wanted = [packet.sequence for packet in pupil.seen]
    layers(relay)["h"].bitrate = 24_000
    pupil.peer.send_rtcp(rtcp.nack(1, feed.track.ssrc, wanted))
    await until(lambda: pupil.came - 60 >= 14)
    await asyncio.sleep(0.1)
    assert pupil.came - 60 == 14, "half of 3,000 octets a second, in packets of 102"
    feed.move(None, relay.monotonic())
    pupil.peer.send_rtcp(rtcp.nack(1, feed.track.ssrc, wanted))
    await asyncio.sleep(1.1)
    pupil.peer.send_rtcp(rtcp.nack(1, feed.track.ssrc, wanted))
    await asyncio.sleep(0.1)
    assert pupil.came - 60 == 14, "of a picture that is paused nothing is sent again"
    await pupil.peer.close()
