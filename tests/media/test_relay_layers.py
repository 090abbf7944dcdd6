"""Layers of a track: taps, simulcast by rid, and subscribers that change between layers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from media_world import DELTA, KEY, LEAD, ROOM, ScriptedPublisher, join, only, until

from media import rtcp, rtp
from media.events import MediaEvent, MediaSlot, PeerId, SessionId
from media.feed import Feed
from media.layer import Layer
from media.negotiation import REPAIRED_RID, RID
from media.peer import EXTENSIONS, PAYLOAD_TYPES, Peer
from media.relay import Relay
from media.sequence import Kept
from media.subscribing import SubscriberSession

H264 = PAYLOAD_TYPES["H264"]
PICTURE = 3600
"""Ticks from one picture to the next."""


class SimulcastPublisher:
    """Three sizes of one picture, under SSRCs that are named by the rid extension alone, each with its own clock."""

    RIDS = ("l", "m", "h")

    def __init__(self, *, wide: bool = False) -> None:
        self.heard: list[rtcp.Feedback] = []
        self.peer = Peer(on_rtcp=self.heard.append)
        self.session = SessionId("")
        self.ssrcs = {"l": 1001, "m": 1002, "h": 1003}
        self.sequences = {"l": 65_000, "m": 500, "h": 40_000}
        self.clocks = {"l": 1_000, "m": 0xFFFFFF00, "h": 500_000_000}
        self.tagged = dict.fromkeys(self.RIDS, 4)
        """Packets that will still carry the extension."""
        self.picture = 0
        self._wide = wide

    async def start(self, relay: Relay) -> None:
        answer = await relay.publish(
            ROOM, LEAD, PeerId("teacher"), self.peer.offer(sends=True, rtx=True, rids=tuple(reversed(self.RIDS)))
        )
        assert "a=simulcast:recv h;m;l\r\n" in answer.sdp
        self.session = answer.session
        await self.peer.connect(answer.sdp)
        await until(lambda: relay.session(self.session).connected)

    def _extension(self, number: int, value: bytes) -> bytes:
        item = bytes((number, len(value))) if self._wide else bytes((number << 4 | len(value) - 1,))
        body = item + value
        body += bytes(-len(body) % 4)
        return (b"\x10\x00" if self._wide else b"\xbe\xde") + (len(body) // 4).to_bytes(2, "big") + body

    def frame(self, rid: str, *, key: bool = False, packets: int = 3, skip: int | None = None) -> None:
        """The present picture in one size; the packet `skip` is lost on the way."""
        timestamp = (self.clocks[rid] + self.picture * PICTURE) & 0xFFFFFFFF
        for index in range(packets):
            body = (KEY if key and index == 0 else DELTA) + rid.encode() + bytes((self.picture & 255, index)) * 50
            tag = self._extension(EXTENSIONS[RID], rid.encode()) if self.tagged[rid] > 0 else b""
            self.tagged[rid] -= 1
            marker = 0x80 if index == packets - 1 else 0
            sequence, self.sequences[rid] = self.sequences[rid], (self.sequences[rid] + 1) & 0xFFFF
            if index != skip:
                head = rtp.HEADER.pack(0x90 if tag else 0x80, marker | H264, sequence, timestamp, self.ssrcs[rid])
                self.peer.send_rtp(head + tag + body)

    def pictures(self, *, key: str = "") -> None:
        """The next picture in every size; a key picture in the sizes named."""
        self.picture += 1
        for rid in self.RIDS:
            self.frame(rid, key=rid in key)

    def repair(self, rid: str, sequence: int, body: bytes) -> None:
        """A lost packet by RTX, named by the extension for repairs."""
        tag = self._extension(EXTENSIONS[REPAIRED_RID], rid.encode())
        timestamp = (self.clocks[rid] + self.picture * PICTURE) & 0xFFFFFFFF
        head = rtp.HEADER.pack(0x90, H264 + 1, 7, timestamp, self.ssrcs[rid] + 500)
        self.peer.send_rtp(head + tag + sequence.to_bytes(2, "big") + body)

    def report(self) -> None:
        """Sender reports: all sizes of a picture were taken at the same moment."""
        at = 1000 << 32 | self.picture * (1 << 32) * PICTURE // 90_000
        for rid in self.RIDS:
            timestamp = self.clocks[rid] + self.picture * PICTURE
            self.peer.send_rtcp(
                rtcp.sender_report(self.ssrcs[rid], ntp_time=at, rtp_time=timestamp, packets=1, octets=1)
            )

    def asked(self, rid: str) -> int:
        return sum(ssrc == self.ssrcs[rid] for feedback in self.heard for ssrc in feedback.keyframes)


class Seen(NamedTuple):
    """A packet as a subscriber sees it."""

    sequence: int
    timestamp: int
    rid: str
    picture: int
    index: int
    repaired: bool


class Pupil:
    """Decrypts everything."""

    def __init__(self, *, rtx: bool = False) -> None:
        self.peer = Peer(on_rtp=self._take)
        self.seen: list[Seen] = []
        self.ssrcs: set[int] = set()
        self.session = SessionId("")
        self.came = 0
        self.loses: set[int] = set()
        """Which of all packets that come are lost just before they reach it."""
        self._rtx = rtx

    async def join(self, relay: Relay, name: str) -> Feed:
        """Its feed of the picture."""
        answer = await relay.subscribe(ROOM, LEAD, PeerId(name), self.peer.offer(sends=False, rtx=self._rtx))
        self.session = answer.session
        await self.peer.connect(answer.sdp)
        await until(lambda: relay.session(self.session).connected)
        session = relay._sessions[self.session]
        assert isinstance(session, SubscriberSession)
        return next(feed for feed in session.feeds if feed.track.kind == "video")

    def _take(self, raw: memoryview) -> None:
        self.came += 1
        if self.came in self.loses:
            return
        packet = rtp.parse(self.peer.channel.unprotect(bytes(raw)))
        assert packet is not None
        repaired = packet.payload_type == H264 + 1
        body = packet.payload[2:] if repaired else packet.payload
        number = int.from_bytes(packet.payload[:2], "big") if repaired else packet.sequence
        self.ssrcs.add(packet.ssrc - repaired)  # the SSRC of repairs is the one after it
        self.seen.append(Seen(number, packet.timestamp, chr(body[1]), body[2], body[3], repaired))

    @property
    def rids(self) -> str:
        """The layers seen, in order."""
        return "".join(rid for rid, _ in itertools.groupby(packet.rid for packet in self.seen))

    def continuous(self) -> bool:
        """Whether numbers go up by one and the clock never back."""
        pairs = list(itertools.pairwise(self.seen))
        steps = {(b.sequence - a.sequence) & 0xFFFF for a, b in pairs}
        back = [(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairs]
        return steps == {1} and max(back) < 90_000 and len(self.ssrcs) == 1

    def report(self, lost: int = 0) -> None:
        """A receiver report on the picture, that all has come."""
        (ssrc,) = self.ssrcs
        last = self.seen[-1].sequence
        self.peer.send_rtcp(rtcp.receiver_report(1, [rtcp.Block(ssrc, 0, lost, last, 0, 0, 0)]))


@pytest.fixture
async def stage(relay: Relay) -> AsyncIterator[SimulcastPublisher]:
    """A connected publisher of three sizes, silent at first."""
    publisher = SimulcastPublisher()
    await publisher.start(relay)
    yield publisher
    await publisher.peer.close()


def layers(relay: Relay) -> dict[str, Layer]:
    return {layer.rid: layer for layer in relay._publications[ROOM, LEAD].layers_of("video")}


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
    (layer,) = relay._publications[ROOM, LEAD].layers_of("video")
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
    await until(lambda: stage.asked("l") and stage.asked("m"), 3)
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
    pupil.report()
    await asyncio.sleep(0.05)
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
