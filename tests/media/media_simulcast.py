"""A publisher of three sizes of one picture, and a subscriber that reads all it is sent."""

from __future__ import annotations

import itertools
import time
from typing import NamedTuple

from media_world import DELTA, KEY, LEAD, ROOM
from waiting import until

from media.clients.peer import EXTENSIONS, PAYLOAD_TYPES, Peer
from media.events import PeerId, SessionId
from media.forwarding.feed import Feed
from media.packets import rtcp, rtp
from media.relay import Relay
from media.sessions.subscribing import SubscriberSession
from media.signalling.negotiation import REPAIRED_RID, RID

H264 = PAYLOAD_TYPES["H264"]
PICTURE = 3600
"""Ticks from one picture to the next."""


class SimulcastPublisher:
    """Three sizes of one picture, under SSRCs that are named by the rid extension alone, each with its own clock."""

    RIDS = "lmh"

    def __init__(self, *, wide: bool = False) -> None:
        self.heard: list[rtcp.Feedback] = []
        self.peer = Peer(on_rtcp=self.heard.append)
        self.session = SessionId("")
        self.ssrcs = {"l": 1001, "m": 1002, "h": 1003}
        self.sequences = {"l": 65_000, "m": 500, "h": 40_000}
        self.clocks = {"l": 1_000, "m": 0xFFFFFF00, "h": 500_000_000}
        self.tagged = dict.fromkeys(self.RIDS, 4)
        """Packets that will still carry the extension."""
        self.picture = self.spoken = 0
        self.packets = dict.fromkeys(self.RIDS, 3)
        """Of a picture of each size."""
        self.running = "lmh"
        """The sizes that are sent; browsers stop the larger ones when their uplink is thin."""
        self._wide = wide

    async def start(self, relay: Relay) -> None:
        answer = await relay.publish(
            ROOM, LEAD, PeerId("teacher"), self.peer.offer(sends=True, rtx=True, rids=tuple(reversed(self.RIDS)))
        )
        assert "a=simulcast:recv h;m;l\r\n" in answer.sdp
        self.session = answer.session
        await self.peer.connect(answer.sdp)
        await until(lambda: relay.session(self.session).connected)

    def extension(self, number: int, value: bytes) -> bytes:
        """A block of one header extension."""
        item = bytes((number, len(value))) if self._wide else bytes((number << 4 | len(value) - 1,))
        body = item + value
        body += bytes(-len(body) % 4)
        return (b"\x10\x00" if self._wide else b"\xbe\xde") + (len(body) // 4).to_bytes(2, "big") + body

    def frame(self, rid: str, *, key: bool = False, packets: int = 3, skip: int | None = None) -> None:
        """The present picture in one size; the packet `skip` is lost on the way."""
        timestamp = (self.clocks[rid] + self.picture * PICTURE) & 0xFFFFFFFF
        for index in range(packets):
            body = (KEY if key and index == 0 else DELTA) + rid.encode() + bytes((self.picture & 255, index)) * 50
            tag = self.extension(EXTENSIONS[RID], rid.encode()) if self.tagged[rid] > 0 else b""
            self.tagged[rid] -= 1
            marker = 0x80 if index == packets - 1 else 0
            sequence, self.sequences[rid] = self.sequences[rid], (self.sequences[rid] + 1) & 0xFFFF
            if index != skip:
                head = rtp.HEADER.pack(0x90 if tag else 0x80, marker | H264, sequence, timestamp, self.ssrcs[rid])
                self.peer.send_rtp(head + tag + body)

    def pictures(self, *, key: str = "") -> None:
        """The next picture in every size; a key picture in the sizes named."""
        self.picture += 1
        for rid in self.running:
            self.frame(rid, key=rid in key, packets=self.packets[rid])

    def repair(self, rid: str, sequence: int, body: bytes) -> None:
        """A lost packet by RTX, named by the extension for repairs."""
        tag = self.extension(EXTENSIONS[REPAIRED_RID], rid.encode())
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

    def sound(self) -> None:
        """20 ms of sound."""
        head = rtp.HEADER.pack(0x80, PAYLOAD_TYPES["OPUS"], self.spoken & 0xFFFF, self.spoken * 960, 1000)
        self.spoken += 1
        self.peer.send_rtp(head + b"sound" * 12)

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
    """Decrypts everything, and notes what there is of the picture."""

    def __init__(self, *, rtx: bool = False) -> None:
        self.peer = Peer(on_rtp=self._take, on_rtcp=self._told)
        self.told: dict[int, tuple[int, float]] = {}
        """The last sender report on each stream, as a report answers it, and when it came."""
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
        if packet.payload_type == PAYLOAD_TYPES["OPUS"]:
            return
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
        answered, came = self.told.get(ssrc, (0, time.monotonic()))
        since = int((time.monotonic() - came) * 65536)
        self.peer.send_rtcp(rtcp.receiver_report(1, [rtcp.Block(ssrc, 0, lost, last, 0, answered, since)]))

    def _told(self, feedback: rtcp.Feedback) -> None:
        for report in feedback.reports:
            self.told[report.ssrc] = (report.ntp >> 16 & 0xFFFFFFFF, time.monotonic())
