"""`make fuzz`: whatever is sent, nothing raises, nothing grows, and the class beside it goes on. Seeded; the outcome is JSON.

A class is being taught. Beside it an evil publisher, who is watched and recorded, and an evil subscriber, both genuine (ICE and DTLS
done), send mutated RTP and RTCP under valid tags; strangers send mutated connectivity checks; half-open peers send mutated DTLS; offers and trickle fragments
are mutated and given to the relay's doors.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import os
import random
import socket
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from media_world import LEAD, ROOM, ScriptedPublisher, join
from waiting import until

from media.clients.counting import CountOnlySubscriber
from media.clients.peer import EXTENSIONS, PAYLOAD_TYPES, Peer
from media.errors import RelayError
from media.events import MediaEvent, PeerId, RecordingFailed, RecordingId, RoomId, SessionId, SourceName
from media.orders import Record
from media.packets import rtcp
from media.packets.rtp import HEADER
from media.relay import Relay
from media.signalling.sdp import parse_offer
from media.values import RelayConfig
from media.wire import stun
from media.wire.aiortc_bridge import HandshakeFailed, Identity

FUZZED, RECORDING = RoomId("fuzzed"), RecordingId("fuzzed")
MUTATIONS = 78_240
"""Of SDP, in a whole run."""
CLIENT_HELLO = bytes.fromhex("16feff0000000000000000003601000028000000000000002a") + bytes(46)
EDGES = (0, 1, 2, 3, 4, 11, 12, 15, 16, 63, 64, 127, 128, 191, 192, 223, 254, 255)
NUMBERS = ("0", "-1", "65535", "65536", "4294967296", str(2**64), "9" * 300, "", " ", "0x10", "1e9", "٣")
FRAGMENT = (
    "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
    "a=candidate:1 1 udp 2 192.0.2.1 61764 typ host\r\na=end-of-candidates\r\n"
)
ALLOWED_GROWTH = 24 * 1024
"""KiB of resident memory that a run may end above its middle: allocators keep some."""


class Chance(random.Random):
    """Draws mutants."""

    def bytes_like(self, original: bytes) -> bytes:
        """The original with one to four faults."""
        mutant = bytearray(original)
        for _ in range(self.randint(1, 4)):
            at = self.randrange(len(mutant) + 1)
            match self.randrange(6):
                case 0:
                    del mutant[at : at + self.randint(1, 12)]
                case 1:
                    mutant[at:at] = self.randbytes(self.randint(1, 24))
                case 2 if at < len(mutant):
                    mutant[at] = self.choice(EDGES)
                case 3 if at < len(mutant):
                    mutant[at] ^= 1 << self.randrange(8)
                case 4:
                    mutant[at : at + 2] = self.choice((0, 1, 0x7FFF, 0x8000, 0xFFFF)).to_bytes(2, "big")
                case _:
                    mutant = mutant[:at] if self.random() < 0.3 else mutant + mutant[: self.randint(1, 40)]
        return bytes(mutant[:1400])

    def packet_like(self, original: bytes, at: int) -> bytes:
        """A mutant whose SSRC, at this place, is mostly that of a stream that runs, so that it goes all the way, else one of a
        hundred: the sender's libsrtp keeps a context for each, too."""
        mutant = self.bytes_like(original).ljust(at + 4, b"\0")
        ssrc = 901 if self.random() < 0.8 else 900 + self.randrange(100)
        return mutant[:at] + ssrc.to_bytes(4, "big") + mutant[at + 4 :]

    def text_like(self, original: str) -> str:
        """The original with one to four faults, most of them in whole lines and numbers."""
        lines = original.split("\r\n")
        for _ in range(self.randint(1, 4)):
            at = self.randrange(len(lines))
            line = lines[at]
            match self.randrange(8):
                case 0:
                    del lines[at]
                case 1:
                    lines.insert(self.randrange(len(lines) + 1), line)
                case 2:
                    lines[at] = line.replace(
                        self.choice(line or "="), chr(self.choice((0, 9, 32, 58, 61, 255, 0x4E2D)))
                    )
                case 3:
                    words = line.split(" ")
                    words[self.randrange(len(words))] = self.choice(NUMBERS)
                    lines[at] = " ".join(words)
                case 4:
                    lines[at] = line[: self.randrange(len(line) + 1)]
                case 5:
                    lines[at] = line + self.choice(("", ";", " ", ":", "/")) * self.randint(1, 400)
                case 6:
                    lines[at : at + 1] = [line] * self.choice((2, 20, 200))
                case _:
                    self.shuffle(lines)
            lines = lines or [""]
        return self.choice(("\r\n", "\r\n", "\r\n", "\n", "\r")).join(lines)


@dataclass
class Errors(logging.Handler):
    """Every complaint of the relay's that is worth a person's attention."""

    found: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.WARNING)

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))


@dataclass(frozen=True, slots=True)
class Reading:
    """What must not grow."""

    kib: int
    tasks: int
    descriptors: int
    sessions: int


def reading(relay: Relay) -> Reading:
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[1])
    return Reading(
        kib=pages * os.sysconf("SC_PAGE_SIZE") // 1024,
        tasks=len(asyncio.all_tasks()),
        descriptors=len(os.listdir("/proc/self/fd")),
        sessions=len(relay._sessions),
    )


def rtp_seeds() -> list[bytes]:
    """Packets of every shape the relay reads: plain, with extensions, padded, RTX, all kinds of H264 payload."""
    opus, h264 = PAYLOAD_TYPES["OPUS"], PAYLOAD_TYPES["H264"]
    rid = bytes([EXTENSIONS["urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"] << 4]) + b"h" + bytes(2)
    plain = [
        HEADER.pack(0x80, kind, 7, 960, 900 + kind) + bytes([unit]) * 40
        for kind in (opus, h264)
        for unit in (0x65, 0x41, 0x67)
    ]
    return [
        *plain,
        HEADER.pack(0x90, h264, 8, 960, 901) + b"\xbe\xde\x00\x01" + rid + b"\x65" * 30,
        HEADER.pack(0x90, h264, 9, 960, 901) + b"\x10\x00\x00\x02\x0a\x01h\x00\x00\x00\x00\x00" + b"\x7c\x85" + bytes(30),
        HEADER.pack(0xA0, h264, 10, 960, 901) + bytes(19) + b"\x14",
        HEADER.pack(0x80, h264 + 1, 11, 960, 902) + b"\x00\x07\x65" + bytes(30),
        HEADER.pack(0x83, opus, 12, 960, 903) + bytes(12) + bytes(30),
        HEADER.pack(0x80, h264, 13, 960, 901) + b"\x18\x00\x04\x67\x42\xe0\x1f\x00\x04\x68\xce\x3c\x80",
    ]  # fmt: skip


def rtcp_seeds(ssrcs: list[int]) -> list[bytes]:
    """Compounds of every kind, about streams that exist."""
    blocks = [rtcp.Block(ssrc, 10, 5, 70_000, 30, 1, 2) for ssrc in ssrcs]
    report = rtcp.receiver_report(1, blocks)
    found = [report, report + rtcp.description(1, "x" * 40), rtcp.goodbye(ssrcs), rtcp.bitrate_limit(1, ssrcs, 300_000)]
    for ssrc in ssrcs:
        found += [
            report + rtcp.nack(1, ssrc, [5, 6, 9, 60_000]),
            report + rtcp.picture_loss(1, ssrc),
            rtcp.sender_report(ssrc, ntp_time=1 << 60, rtp_time=5, packets=9, octets=999),
            bytes.fromhex("8fcd0005") + bytes(8) + b"\x00\x01\x00\x02" + bytes(8),  # transport-cc
            bytes.fromhex("84ce0004") + bytes(16),  # FIR
            bytes.fromhex("80cf0005") + bytes(20),  # XR
        ]
    return found


class Fuzz:
    """A class, and those who mean it harm."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.chance = Chance(seed)
        self.done: Counter[str] = Counter()
        self.events: list[MediaEvent] = []
        self.relay = Relay(RelayConfig(unfinished_seconds=2.0, folder=folder, must_stay_free=0), self.events.append)
        self.teacher = ScriptedPublisher()
        self.evil: list[Peer] = []
        self._addresses: list[SessionId] = []
        self._identity = Identity()

    async def start(self) -> None:
        await self.relay.start()
        await self.teacher.start(self.relay)
        self.teacher.stream()
        self.pupils = [await join(self.relay, f"class-{n}", rtx=True) for n in range(3)]
        await until(lambda: all(len(pupil.streams) == 2 for pupil, _ in self.pupils))
        await self._evil_ones()
        self.watcher = CountOnlySubscriber(report_every=0.2)
        answer = await self.relay.subscribe(FUZZED, LEAD, PeerId("watcher"), self.watcher.offer(rtx=True))
        await self.watcher.connect(answer.sdp)
        await self.relay.carry_out(Record(FUZZED, RECORDING))

    async def _evil_ones(self) -> None:
        """Genuine sessions; anew where their own packets have ended them."""
        alive = set(self.relay._sessions)
        if self.evil and alive.issuperset(self._addresses):
            return
        for peer in self.evil:
            await peer.close(silently=True)
        sender, receiver = Peer(), Peer()
        offer = sender.offer(sends=True, rtx=True, rids=("h", "l") if self.chance.random() < 0.5 else ())
        first = await self.relay.publish(FUZZED, LEAD, PeerId("evil"), offer)
        await sender.connect(first.sdp)
        second = await self.relay.subscribe(ROOM, LEAD, PeerId("evil"), receiver.offer(sends=False, rtx=True))
        await receiver.connect(second.sdp)
        self.evil, self._addresses = [sender, receiver], [first.session, second.session]
        self.done["evil sessions"] += 1

    async def round(self) -> None:
        """A little of everything."""
        await self._evil_ones()
        await self._media()
        await self._checks()
        await self._handshakes()
        await self.offers(20)
        await self._fragments()

    async def _media(self) -> None:
        sender, receiver = self.evil
        heard = [stream.ssrc for stream in self.pupils[0][0].streams.values()]
        seeds = rtcp_seeds([*heard, 901])
        for number in range(150):
            sender.send_rtp(self.chance.packet_like(self.chance.choice(rtp_seeds()), 8))
            for peer in (sender, receiver):
                peer.send_rtcp(self.chance.packet_like(self.chance.choice(seeds), 4))
            receiver.send_rtp(self.chance.packet_like(rtp_seeds()[0], 8))
            self.done["rtp"] += 2
            self.done["rtcp"] += 2
            if number % 20 == 0:
                await asyncio.sleep(0.002)

    async def _checks(self) -> None:
        answer = self.teacher.peer.answer
        assert answer is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for number in range(150):
                right = stun.request(addressee=answer.fragment, sender="x" * self.chance.randrange(9), password="wrong")
                junk = self.chance.bytes_like(right if number % 3 else CLIENT_HELLO)
                stranger.sendto(junk, ("127.0.0.1", self.relay.port))
                self.evil[number % 2].send(junk)
                self.done["stun"] += 2
                if number % 20 == 0:
                    await asyncio.sleep(0.002)

    async def _handshakes(self) -> None:
        """Mutated flights to a session that has proved an address and nothing more."""
        peer = Peer()
        try:
            answer = await self.relay.subscribe(ROOM, LEAD, PeerId("half"), peer.offer(sends=False))
        except RelayError:
            return
        peer.answer = parse_offer(answer.sdp)
        peer.open(("127.0.0.1", self.relay.port))
        flights: list[bytes] = []
        peer.channel._ice._forward = flights.append
        begun = asyncio.create_task(peer.channel.handshake(peer.answer.fingerprints))
        for _ in range(25):
            peer.check()
            for flight in [*flights[-2:], CLIENT_HELLO]:
                peer.send(self.chance.bytes_like(flight))
                self.done["dtls"] += 1
            if self.chance.random() < 0.2 and flights:
                peer.send(flights[-1])
            await asyncio.sleep(0.001)
        begun.cancel()
        with suppress(asyncio.CancelledError, HandshakeFailed):
            await begun
        await peer.close(silently=True)

    async def offers(self, count: int) -> None:
        """Mutated offers at both doors; what is taken is ended again."""
        rids = ("h", "m", "l")
        for _ in range(count):
            sends = self.chance.random() < 0.6
            original = Peer(self._identity).offer(sends=sends, rtx=True, rids=rids if sends else ())
            text = self.chance.text_like(original)
            self.done["sdp"] += 1
            try:
                if sends:
                    answer = await self.relay.publish(FUZZED, SourceName("screen"), PeerId("offers"), text)
                else:
                    answer = await self.relay.subscribe(ROOM, LEAD, PeerId("offers"), text)
            except RelayError as error:
                self.done[type(error).__name__] += 1
                continue
            self.done["taken"] += 1
            await self.relay.close_session(answer.session)

    async def _fragments(self) -> None:
        for _ in range(20):
            door = self.chance.choice((self.relay.trickle, self.relay.restart_ice))
            self.done["fragments"] += 1
            try:
                await door(self.chance.choice(self._addresses), self.chance.text_like(FRAGMENT))
            except RelayError as error:
                self.done[type(error).__name__] += 1

    def broken(self) -> list[str]:
        """What of the class does not stand any more."""
        alive = self.relay._sessions
        sessions = {"teacher": self.teacher.session} | {f"class-{n}": s for n, (_, s) in enumerate(self.pupils)}
        lost = [f"class-{n} lost {pupil.lost}" for n, (pupil, _) in enumerate(self.pupils) if pupil.lost]
        wrong = [f"class-{n} got what it cannot read" for n, (pupil, _) in enumerate(self.pupils) if pupil.bad_samples]
        lost += [f"its recording: {event.reason}" for event in self.events if isinstance(event, RecordingFailed)]
        self.events.clear()
        return [f"{name} is gone" for name, session in sessions.items() if session not in alive] + lost + wrong

    async def close(self) -> None:
        await self.relay.close()
        for peer in (self.teacher, self.watcher, *(pupil for pupil, _ in self.pupils), *self.evil):
            await peer.close()


async def run(seed: int, folder: Path, *, seconds: float, sdp: int = 0) -> dict[str, Any]:
    """Fuzzes for so long, after so many mutated offers alone. `faults` must be empty."""
    errors = Errors()
    logging.getLogger().addHandler(errors)
    fuzz = Fuzz(seed, folder)
    readings: list[Reading] = []
    faults: list[str] = []
    try:
        await fuzz.start()
        await fuzz.offers(sdp)
        end, next_reading = time.monotonic() + seconds, 0.0
        while time.monotonic() < end or len(readings) < 3:
            await fuzz.round()
            if time.monotonic() >= next_reading:
                next_reading = time.monotonic() + seconds / 20
                await asyncio.sleep(2.5 if seconds > 60 else 0)  # half-open sessions are reaped by then
                readings.append(reading(fuzz.relay))
                faults += [f"after {sum(fuzz.done.values())}: {fault}" for fault in fuzz.broken()]
        counts = [pupil.packets for pupil, _ in fuzz.pupils]
        await until(lambda: all(p.packets > c + 50 for (p, _), c in zip(fuzz.pupils, counts, strict=True)))
    finally:
        await fuzz.close()
        logging.getLogger().removeHandler(errors)
    middle, last = readings[len(readings) // 2], readings[-1]
    faults += errors.found
    faults += [f"memory grew by {last.kib - middle.kib} KiB"] * (last.kib - middle.kib > ALLOWED_GROWTH)
    for name in ("tasks", "descriptors"):
        if getattr(last, name) > getattr(readings[0], name) + 12:
            faults.append(f"{name} grew from {getattr(readings[0], name)} to {getattr(last, name)}")
    return {
        "seed": seed,
        "seconds": seconds,
        "done": dict(fuzz.done),
        "kib": [r.kib for r in readings],
        "faults": faults[:20],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with TemporaryDirectory() as made:
        outcome = asyncio.run(run(asked.seed, Path(made), seconds=asked.seconds, sdp=MUTATIONS))
    print(json.dumps(outcome, indent=1))
    sys.exit(bool(outcome["faults"]))
