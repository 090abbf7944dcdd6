"""A session: one peer's connection, from its offer to its end. What is done with its media is in the two subclasses."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from media.events import (
    Connected,
    Disconnected,
    MediaEvent,
    MediaSlot,
    PeerId,
    Reason,
    Role,
    RoomId,
    SessionId,
    SourceName,
)
from media.packets import rtcp
from media.sessions.slots import Counts, Finished
from media.values import Kind, RelayConfig, SessionView
from media.wire.aiortc_bridge import Fingerprint, HandshakeFailed, Identity, SecureChannel, Unauthentic
from media.wire.ice import Agent, Credentials
from media.wire.stun import Address

log = logging.getLogger(__name__)


class House(Protocol):
    """What a session needs of the relay it lives in."""

    config: RelayConfig

    def monotonic(self) -> float: ...
    def now(self) -> datetime: ...
    def send(self, datagram: bytes, address: Address) -> bool: ...
    def emit(self, event: MediaEvent) -> None: ...
    def connected(self, session: Session) -> None: ...
    def end(self, session: Session, reason: Reason) -> asyncio.Task[None] | None: ...


@dataclass(frozen=True, slots=True)
class Name:
    """Whose session it is."""

    session: SessionId
    room: RoomId
    source: SourceName
    peer: PeerId
    role: Role
    origin: str = ""
    """The network address its offer came from; empty where nobody said."""


class Session(ABC):
    """Owns the peer's ICE agent, its secure channel, and the task that brings them up."""

    def __init__(self, house: House, name: Name, identity: Identity, *, dtls_server: bool) -> None:
        self.house, self.name = house, name
        self.created_at = house.monotonic()
        self.connected_at: float | None = None
        self.ended = False
        self.generation = 1
        self.remote = Credentials("", "")
        """The peer's ICE credentials: a fragment with others is an ICE restart."""
        self.sections: tuple[tuple[str, Kind], ...] = ()
        """(mid, kind) of the accepted sections."""
        self.unauthentic = 0
        """Packets that were forged, damaged, or copies of ones that came before: all else goes on as if they had not come."""
        self.round_trip: float | None = None
        """Milliseconds there and back, as reports last told; None before, and of a publisher."""
        self._wall = house.now()
        self.agent = Agent(on_dtls=self._dtls, on_media=self._media, on_moved=self.on_moved, now=self.created_at)
        self.channel = SecureChannel(identity, server=dtls_server, send=self._send, on_closed=self._peer_left)
        self._task: asyncio.Task[None] | None = None

    def _peer_left(self) -> None:
        self.house.end(self, "closed")

    @property
    def etag(self) -> str:
        """Names the ICE generation."""
        return f"{self.name.session}-{self.generation}"

    @property
    def address(self) -> Address:
        """Where the peer is now; only a connected session has one."""
        assert self.agent.selected is not None
        return self.agent.selected

    @property
    def handle(self) -> Any:
        """libsrtp's sender handle."""
        return self.channel.handle

    def begin(self, fingerprints: Sequence[Fingerprint]) -> None:
        """Starts the task that waits for ICE and does the handshake."""
        self._task = asyncio.create_task(self._rise(fingerprints), name=f"media-session-{self.name.session}")

    async def _rise(self, fingerprints: Sequence[Fingerprint]) -> None:
        try:
            async with asyncio.timeout(self.house.config.unfinished_seconds):
                await self.agent.ready.wait()
                await self.channel.handshake(fingerprints)
            self._connect()
        except (TimeoutError, HandshakeFailed) as error:
            log.info("session_unfinished session=%s reason=%s", self.name.session, type(error).__name__)
            self.house.end(self, "failed")
        except Exception:  # whatever a stranger's packets raise in the DTLS stack must end this session alone
            log.exception("session_failed session=%s", self.name.session)
            self.house.end(self, "failed")

    def _connect(self) -> None:
        """ICE and DTLS are done: from now on media counts; unless the session was ended in the same turn of the event loop."""
        if self.ended:
            return
        now = self.house.monotonic()
        self.connected_at, self._wall = now, self.house.now()
        self.house.emit(Connected(**self._label(), at=self._wall))
        self.on_connected(now)
        self.house.connected(self)

    def _label(self) -> dict[str, Any]:
        n = self.name
        return {"room": n.room, "peer": n.peer, "session": n.session, "source": n.source, "role": n.role}

    def wall(self, at: float) -> datetime:
        """The wall clock's label of a monotonic moment; steps of the clock since the session began do not move it."""
        base = self.connected_at if self.connected_at is not None else self.created_at
        return self._wall + timedelta(seconds=at - base)

    def _send(self, datagram: bytes) -> None:
        if self.agent.selected is not None:
            self.house.send(datagram, self.agent.selected)

    def send_rtp(self, packet: bytes) -> None:
        """Protects and sends one packet."""
        if (protected := self.channel.protect(packet)) is not None:
            self._send(protected)

    def send_rtcp(self, compound: bytes) -> None:
        """Protects and sends one compound."""
        if (protected := self.channel.protect_rtcp(compound)) is not None:
            self._send(protected)

    def _dtls(self, datagram: bytes) -> None:
        if not self.ended:
            self.channel.feed(datagram)

    def _media(self, datagram: bytes) -> None:
        if self.connected_at is None or self.ended or len(datagram) < 12:
            return
        now = self.house.monotonic()
        try:
            if 192 <= datagram[1] <= 223:
                feedback = rtcp.parse(self.channel.unprotect_rtcp(datagram))
                self.agent.heard_at = now
                self.on_rtcp(feedback, now)
            else:
                packet = self.channel.unprotect(datagram)
                self.agent.heard_at = now
                self.on_rtp(packet, now)
        except Unauthentic:
            self.unauthentic += 1
        except Exception:  # a peer whose packets upset the relay loses its own session, nobody else's
            log.exception("session_failed session=%s", self.name.session)
            self.house.end(self, "failed")

    def emit_slot(self, slot: Finished) -> None:
        """Tells the world of a finished slot."""
        self.house.emit(
            MediaSlot(
                **self._label(),
                started_at=self.wall(slot.started),
                ended_at=self.wall(slot.ended),
                packets=slot.packets,
                octets=slot.octets,
                acknowledged=slot.acknowledged,
                source_packets=slot.source_packets,
                lost=slot.lost,
                jitter_ms=self.jitter_ms,
                round_trip_ms=self.round_trip,
                rung=slot.sent.rung,
                rid=slot.sent.rid,
            )
        )

    def finish(self, reason: Reason, now: float) -> None:
        """Emits what remains to be said; of a session that was never connected that is nothing. Called once, by the relay."""
        self.ended = True
        if self.connected_at is not None:
            self.on_finish(now)
            self.house.emit(Disconnected(**self._label(), reason=reason, at=self.wall(now)))

    async def shut(self) -> None:
        """Ends the task, says goodbye to the peer, frees the channel."""
        if self.connected_at is not None:
            self.send_rtcp(self.goodbye())
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
            await asyncio.wait({self._task})
        await self.channel.close()

    def upkeep(self, now: float) -> None:
        """Called several times a second: consent, then what the subclass has to do."""
        if self.connected_at is None:
            return
        if now - self.agent.heard_at > self.house.config.consent_seconds:
            self.house.end(self, "expired")
            return
        self.on_upkeep(now)

    @abstractmethod
    def stood_still(self, since: float, now: float) -> None:
        """The process did nothing between these moments (stopped, starved): no evidence covers them."""

    def on_moved(self) -> None:
        """The peer has a new address."""
        log.debug("session_moved session=%s", self.name.session)

    @abstractmethod
    def on_connected(self, now: float) -> None:
        """DTLS is done."""

    @abstractmethod
    def on_rtp(self, packet: bytes, now: float) -> None:
        """An authentic RTP packet came."""

    @abstractmethod
    def on_rtcp(self, feedback: rtcp.Feedback, now: float) -> None:
        """An authentic RTCP compound came."""

    @abstractmethod
    def on_upkeep(self, now: float) -> None:
        """Slots and reports that are due."""

    @abstractmethod
    def on_finish(self, now: float) -> None:
        """Emit the last slots, leave the publication."""

    @abstractmethod
    def goodbye(self) -> bytes:
        """The RTCP said at the end."""

    @property
    @abstractmethod
    def jitter_ms(self) -> float | None:
        """Interarrival jitter of its worst stream (RFC 3550 §6.4.1); None where there is none yet."""

    @abstractmethod
    def counts(self) -> Counts:
        """What it carried since it was connected."""

    def view(self) -> SessionView:
        """The session now."""
        n, since, counts = self.name, self.connected_at, self.counts()
        return SessionView(
            session=n.session,
            room=n.room,
            source=n.source,
            peer=n.peer,
            role=n.role,
            etag=self.etag,
            connected=since is not None,
            seconds=self.house.monotonic() - since if since is not None else 0.0,
            packets=counts.packets,
            octets=counts.octets,
            lost=counts.lost,
            jitter_ms=self.jitter_ms,
            round_trip_ms=self.round_trip,
        )
