"""A layer: one encoding of one track, from the publisher's packets to the subscribers' ring.

Each layer has one sequence space and one ring for all its subscribers, and keeps them when the publisher comes back with
a new connection. Every subscriber adds offsets of its own (`media.forwarding.feed`) where it has been on another layer before.
"""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Protocol

from media.forwarding.fanout import FanOut
from media.forwarding.keyframes import KeyframeRequests
from media.forwarding.reception import Reception
from media.packets import rtp
from media.packets.sequence import Kept, Renumbering, Ring
from media.values import Kind
from media.wire.udp import UdpPort

if TYPE_CHECKING:
    from media.forwarding.feed import Feed

log = logging.getLogger(__name__)

RING_SIZES: dict[Kind, int] = {"audio": 256, "video": 1024}
LONGEST_REPLAY = 200
"""Packets of a group of pictures that a joiner is given out of the ring; after a longer one a new key picture is quicker."""
OLDEST_REPLAY = 3.0
"""Seconds since its key picture, after which the same holds: the joiner would see what is long past."""
CATCH_UP = 12
"""Packets given to a joiner in one tick, beside what is live: about 600 a second."""
SILENT_AFTER = 1.0
"""Seconds without a packet after which a layer is not to be had: browsers stop the larger ones when their uplink is thin."""
STRANGER_AFTER = 1.0
"""Seconds of silence after which another SSRC of the same payload type takes the track over."""


class Tap(Protocol):
    """Somebody who wants every packet of a layer: a recorder, statistics."""

    def take(self, layer: Layer, kept: Kept, now: float) -> None:
        """Called for each packet that goes into the ring, in order of arrival, repaired late ones included: `kept.number`
        is the order. Must be quick; a tap that raises is taken off."""


class Layer:
    """One encoding as it goes out. `now` is always monotonic seconds."""

    def __init__(self, kind: Kind, rate: int, port: UdpPort) -> None:
        self.kind, self.rate = kind, rate
        self.rid = ""
        """The publisher's name of it (RFC 8851); empty without simulcast."""
        self.codec = ""
        """Codec of the present publisher; empty before the first."""
        self.live = FanOut(port, pictures=kind == "video")
        self.taps: set[Tap] = set()
        self.waiting: set[Feed] = set()
        self.catching_up: set[Feed] = set()
        self.requests = KeyframeRequests()
        self.ring = Ring(RING_SIZES[kind])
        self.reception: Reception | None = None
        self.packets = self.octets = self.keyframes = self.retransmitted = self.requested = 0
        self.sent = self.sent_octets = 0
        """Forwarded to whoever is live; a subscriber's own share is a difference of two readings."""
        self.bitrate = 0
        """Bits a second, about those of the last two seconds."""
        self._measured = (0, 0.0)
        self._lost_before = 0
        self._numbers = Renumbering(secrets.randbits(14) + 1)
        self._open = False
        self._shift = 0
        self.last_out: tuple[int, float] | None = None
        """Timestamp of the newest packet, and when it came."""
        self._keyframe: tuple[int, int, float] | None = None
        """Outgoing number and timestamp of the last key picture's first packet, and when it came."""

    @property
    def next_out(self) -> int:
        """The extended outgoing number the next new packet will get."""
        return self._numbers.next_out

    @property
    def lost(self) -> int:
        """Packets of the publisher that never came, over all its connections."""
        return self._lost_before + self._numbers.lost

    def attach(self, codec: str, rid: str) -> None:
        """A publisher's connection begins: its numbers and clock are its own, what goes out continues."""
        self.codec, self.rid = codec, rid
        self._begin_stream()

    def _begin_stream(self) -> None:
        self._lost_before += self._numbers.lost
        self._numbers = Renumbering(self._numbers.next_out)
        self.reception = None
        self._open = self.kind == "audio"
        self._keyframe = None
        self.requests = KeyframeRequests()
        if self.kind == "video":
            self.requests.want()

    def arrive(self, packet: rtp.Packet, now: float) -> None:
        """Takes a packet of this layer from the publisher, and sends it on."""
        reception = self._reception(packet, now)
        if reception is None:
            return
        self.packets += 1
        self.octets += len(packet.payload) + 12
        key = self.kind == "video" and rtp.starts_keyframe(self.codec, packet.payload)
        if not self._open:
            if not key:
                self.requests.want()
                return
            self._open = True
        out = self._numbers.place(packet.sequence, padding=not packet.payload, now=now)
        reception.arrived(self._numbers.highest or 0, packet.timestamp, now)
        if out is None:
            return
        kept = Kept(out, packet.marker, (packet.timestamp + self._shift) & 0xFFFFFFFF, packet.payload)
        self.ring.put(kept)
        newest = out == self.next_out - 1
        if newest:
            self.last_out = (kept.timestamp, now)
        if key and (self._keyframe is None or self._keyframe[1] != kept.timestamp):
            self._begin_keyframe(kept, now)
        self._forward(kept, newest)
        if self.taps:
            self._tell(kept, now)

    def arrive_repaired(self, packet: rtp.Packet, now: float) -> rtp.Packet | None:
        """Takes a retransmission; returns the packet that it carried, None where it carried none or nothing came before it."""
        original = rtp.repaired(packet, self.reception.ssrc) if self.reception is not None else None
        if original is not None:
            self.arrive(original, now)
        return original

    def _tell(self, kept: Kept, now: float) -> None:
        for tap in list(self.taps):
            try:
                tap.take(self, kept, now)
            except Exception:  # the class goes on without its recording
                log.exception("media_tap_failed tap=%s", type(tap).__name__)
                self.taps.discard(tap)

    def _reception(self, packet: rtp.Packet, now: float) -> Reception | None:
        """The stream the packet belongs to; None for a stranger beside a stream that is alive."""
        current = self.reception
        if current is not None and current.ssrc == packet.ssrc:
            return current
        if current is not None:
            if now - current.last_at < STRANGER_AFTER:
                return None
            self._begin_stream()
        self.reception = Reception(packet.ssrc, self.rate)
        if self.last_out is not None:  # what goes out must not jump back: go on from the last timestamp by the clock
            timestamp, at = self.last_out
            self._shift = timestamp + max(1, int((now - at) * self.rate)) - packet.timestamp
        return self.reception

    def _begin_keyframe(self, kept: Kept, now: float) -> None:
        self.keyframes += 1
        self._keyframe = (kept.number, kept.timestamp, now)
        self.requests.came(now)
        for feed in list(self.waiting):
            feed.enter(self, kept.number, kept.timestamp, now)

    def _forward(self, kept: Kept, newest: bool) -> None:
        self.sent += 1
        self.sent_octets += len(kept.payload) + 12
        if not self.live:
            return
        if newest:
            self.live.queue(kept)
        else:
            self.live.queue_late(kept)

    def replay_from(self, now: float, *, after: float = float("-inf")) -> Kept | None:
        """The packet with which a joiner may start out of the ring, of a key picture that came `after` this moment; None
        when it must wait for the next one."""
        if self._keyframe is None or not self._open:
            return None
        number, _, at = self._keyframe
        short = self.next_out - number <= LONGEST_REPLAY and now - at <= OLDEST_REPLAY
        return self.ring.get(number) if short and at > after else None

    def rtp_time(self, rtp_time: int) -> int:
        """A timestamp of the publisher as subscribers see it."""
        return (rtp_time + self._shift) & 0xFFFFFFFF

    def alive(self, now: float) -> bool:
        """Whether it can be had now."""
        return self.reception is not None and now - self.reception.last_at < SILENT_AFTER

    def measure(self, now: float) -> None:
        """Called about once a second."""
        octets, at = self._measured
        self._measured = (self.octets, now)
        if now > at > 0:
            self.bitrate = (self.bitrate + int(8 * (self.octets - octets) / (now - at))) // (2 if self.bitrate else 1)

    def clock_apart(self, other: Layer) -> int | None:
        """What to add to a timestamp of this layer to have the other one's of the same moment, by the sender reports of
        the publisher; None until it has sent one on both."""
        ours = self.reception.clock if self.reception is not None else None
        theirs = other.reception.clock if other.reception is not None else None
        if ours is None or theirs is None:
            return None
        between = (ours.ntp - theirs.ntp) * self.rate >> 32
        return other.rtp_time(theirs.rtp) + between - self.rtp_time(ours.rtp)

    def missing(self, now: float) -> list[int]:
        """Incoming numbers to ask the publisher for again now."""
        return self._numbers.due(now)

    def keyframe_due(self, now: float) -> bool:
        """True when the publisher must be asked for a key picture now."""
        if self.reception is None or not self.requests.due(now):
            return False
        self.requested += 1
        return True

    def tick(self, now: float) -> None:
        """Gives joiners the next few packets out of the ring."""
        for feed in list(self.catching_up):
            feed.catch_up(CATCH_UP, now)
