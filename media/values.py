"""What goes into the relay and what comes out: settings, answers, views. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from media.events import PeerId, Role, RoomId, SessionId, SourceName
from media.ladder import Rung

Kind = Literal["audio", "video"]


@dataclass(frozen=True, slots=True)
class RelayConfig:
    """How one relay runs. Durations are in seconds, sizes in what the name says."""

    host: str = "127.0.0.1"
    """Address the one UDP port is bound to: IPv4, or IPv6 (``::`` serves both)."""
    port: int = 0
    """UDP port; 0 takes a free one."""
    announce: tuple[str, ...] = ()
    """Addresses written into ICE candidates; empty: `host` itself, or this machine's addresses where `host` is a wildcard."""
    max_subscribers: int = 600
    """Subscribers before `Full`."""
    max_publishers: int = 200
    """Publishers before `Full`."""
    max_unfinished: int = 200
    """Sessions whose handshake is not done, in all, before `Full`."""
    max_unfinished_per_peer: int = 4
    """The same for one peer; its oldest unfinished session makes room."""
    max_unfinished_per_origin: int = 100
    """The same for one network address; a county behind one NAT joins all at once, but must not shut out the others."""
    unfinished_seconds: float = 30.0
    """A session whose handshake is not done by then ends as `failed`."""
    consent_seconds: float = 30.0
    """A session not heard of (authenticated STUN or SRTP) for this long ends as `expired`."""
    slot_seconds: float = 10.0
    """Length of an evidence slot (`media.events.MediaSlot`)."""
    slot_grace_seconds: float = 8.0
    """How long a slot waits for the receiver reports that cover it. Browsers report on sound every 2.5 to 7.5 s."""
    video_bitrate: int = 2_500_000
    """Most that a publisher is asked to send, in bits a second."""
    video_codecs: tuple[str, ...] = ("H264", "VP8")
    """Video codecs in order of preference. H264 means constrained baseline, packetization mode 1."""
    folder: Path = Path("var")
    """Where recordings and segments are written."""
    must_stay_free: int = 512 << 20
    """Octets of disk that recordings leave alone; with less than twice as many free none begins."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A session was made. For a publish or subscribe `sdp` is the full answer (``application/sdp``), for an ICE restart
    the fragment (``application/trickle-ice-sdpfrag``). `etag` names the ICE generation; it is unquoted."""

    session: SessionId
    sdp: str
    etag: str


@dataclass(frozen=True, slots=True)
class SessionView:
    """Who a session belongs to, and how it does."""

    session: SessionId
    room: RoomId
    source: SourceName
    peer: PeerId
    role: Role
    etag: str
    connected: bool
    seconds: float
    """Since it was connected; 0 before."""
    packets: int
    octets: int
    """Arrived from a publisher, sent to a subscriber; RTP only."""
    lost: int
    jitter_ms: float | None
    round_trip_ms: float | None
    rung: Rung | None = None
    """Of a subscriber: how much of the class its line, or its choice, lets through."""
    rid: str | None = None
    """Of a subscriber: the layer of the picture that it is sent now; None while it is sent none."""


@dataclass(frozen=True, slots=True)
class LayerView:
    """One encoding of one track as the publisher sends it."""

    source: SourceName
    kind: Kind
    rid: str
    """The publisher's name of it where it sends the picture in several sizes (simulcast); else empty."""
    codec: str
    packets: int
    octets: int
    lost: int
    keyframes: int
    keyframe_requests: int
    """Requests sent to the publisher, repetitions included."""
    retransmitted: int
    """Packets sent again to subscribers out of the ring."""


@dataclass(frozen=True, slots=True)
class RoomStats:
    """A room at one moment; empty tuples where the room is unknown."""

    room: RoomId
    sessions: tuple[SessionView, ...]
    layers: tuple[LayerView, ...]


@dataclass(frozen=True, slots=True)
class RelayTotals:
    """The relay since its start; for operators."""

    rooms: int
    publishers: int
    subscribers: int
    unfinished: int
    packets_in: int
    """RTP packets of publishers."""
    datagrams_out: int
    """Everything sent, control packets included."""
    send_failures: int
    """Datagrams the socket would not take."""
    stray: int
    """Datagrams from an address that no session has proved, or that nobody can read."""
    refused_checks: int
    """STUN requests that were malformed or not authentic."""
