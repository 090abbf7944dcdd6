"""The relay: sessions come in by WHIP and WHEP semantics, packets go from each publisher to its subscribers.

Everything happens on the event loop that called `Relay.start`. Nothing here knows HTTP: the api calls `publish`,
`subscribe`, `trickle`, `restart_ice` and `close_session`, and maps `media.errors` to statuses.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import assert_never

from media.errors import SourceTaken, UnknownSession
from media.events import MediaEvent, OnEvent, PeerId, Reason, RoomId, SessionId, SourceName, is_edge
from media.forwarding.publication import Publication
from media.housekeeping import Housekeeping
from media.ladder import Rung
from media.orders import ChooseRung, CloseRoom, EndPeer, GiveFloor, Order, Record, ServeSegments
from media.recording.recorder import Recorder
from media.room import Room
from media.sessions import admission
from media.sessions.publishing import PublisherSession
from media.sessions.session import Name, Session
from media.sessions.subscribing import SubscriberSession
from media.signalling import negotiation, sdp
from media.signalling.negotiation import Endpoint, Track
from media.values import Answer, RelayConfig, RelayTotals, RoomStats, SessionView
from media.wire.addresses import candidates
from media.wire.aiortc_bridge import Identity, missing_names
from media.wire.ice import Credentials, Switchboard
from media.wire.stun import Address
from media.wire.udp import UdpPort

log = logging.getLogger(__name__)

REMEMBERED = 512
"""Sessions that ended lately and whose DELETE is still awaited: a peer's goodbye by DTLS comes before its goodbye by HTTP."""


class Relay:
    """One worker's live media, on one UDP port.

    `on_event` gets every `media.events.MediaEvent`, called on the event loop; it must be quick and must not raise.
    `monotonic` gives seconds for durations, `now` an aware wall clock for labels.
    """

    def __init__(
        self,
        config: RelayConfig,
        on_event: OnEvent,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config = config
        self.now, self.monotonic = now, monotonic
        self._on_event = on_event
        self._sessions: dict[SessionId, Session] = {}
        self._ended: dict[SessionId, SessionView] = {}
        self._rooms: dict[RoomId, Room] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._udp: UdpPort | None = None
        self._candidates: tuple[tuple[str, int], ...] = ()
        self._identity = Identity()
        self._switchboard = Switchboard(self.send, monotonic)
        self._packets_before = 0
        self.housekeeping = Housekeeping(self._rooms, self._sessions, self._switchboard.strays, monotonic)
        self.recorder = Recorder(self, config.folder, config.must_stay_free)

    @property
    def port(self) -> int:
        """The UDP port in use, known after `start`."""
        return self._started().number

    def _started(self) -> UdpPort:
        if self._udp is None:
            raise RuntimeError("the relay is not running")
        return self._udp

    async def start(self) -> None:
        """Binds the port and begins to serve. Raises OSError where the address cannot be had, RuntimeError where the
        installed aiortc or pylibsrtp lacks what the relay needs."""
        if gone := missing_names():
            raise RuntimeError(" ".join(gone))
        self._udp = UdpPort(self.config.host, self.config.port, self._switchboard.datagram, self.housekeeping.wake)
        try:
            self._candidates = await candidates(self.config.host, self.config.announce, self._udp.number)
            self.housekeeping.start()
            await self.recorder.start()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Ends every session with the reason ``shutdown``, emits their last events, frees the port. May be repeated."""
        for session in list(self._sessions.values()):
            self.end(session, "shutdown")
        await self.housekeeping.close()
        await self.recorder.close()
        if self._closing:
            await asyncio.wait(self._closing)
        if self._udp is not None:
            self._udp.close()
            self._udp = None

    async def publish(
        self, room: RoomId, source: SourceName, peer: PeerId, offer_sdp: str, *, origin: str = ""
    ) -> Answer:
        """Takes a WHIP offer. The peer owns the source from now on; when its new session is connected it replaces
        the peer's older one (`Disconnected` with ``replaced``), and subscribers stay. `origin` is the network address the
        offer came from, where it is known: one address may have only so many unfinished sessions.

        Raises BadOffer, NothingInCommon, SourceTaken, Full. A refusal leaves nothing behind.
        """
        self._started()
        offer = sdp.parse_offer(offer_sdp)
        tracks = negotiation.published(offer, self.config.video_codecs)
        standing = self._rooms.get(room)
        if standing is not None and standing.taken(source, peer):
            raise SourceTaken(f"{source} of {room}")
        name = Name(SessionId(secrets.token_urlsafe(16)), room, source, peer, "publisher", origin)
        self._make_room(name)  # which may end the last session of a room, and so the room
        publication = self._room(room).publish(source, peer)
        server = negotiation.dtls_server(offer)
        session = PublisherSession(self, name, self._identity, publication, tracks, dtls_server=server)
        return self._begin(session, offer, tracks, None)

    async def subscribe(
        self, room: RoomId, source: SourceName, peer: PeerId, offer_sdp: str, *, origin: str = ""
    ) -> Answer:
        """Takes a WHEP offer for a source that is being published. A peer's connected second session replaces its
        first of the same source. `origin` as in `publish`.

        Raises BadOffer, NothingInCommon, NoFloor, NoPublisher, Full. A refusal leaves nothing behind.
        """
        offer = sdp.parse_offer(offer_sdp)
        standing = self._rooms.get(room) or Room(room, self._started())
        publication = standing.published(source, peer)
        running = publication.tracks["video"].codec
        tracks = negotiation.subscribed(offer, self.config.video_codecs, running)
        name = Name(SessionId(secrets.token_urlsafe(16)), room, source, peer, "subscriber", origin)
        self._make_room(name)
        server = negotiation.dtls_server(offer)
        every = is_edge(peer) and any(track.section.wanted for track in tracks)
        session = SubscriberSession(self, name, self._identity, publication, tracks, dtls_server=server, every=every)
        return self._begin(session, offer, tracks, publication)

    def _begin(
        self, session: Session, offer: sdp.Offer, tracks: tuple[Track, ...], sending: Publication | None
    ) -> Answer:
        session.remote = Credentials(offer.fragment, offer.password)
        session.sections = tuple((track.section.mid, track.kind) for track in tracks)
        text = negotiation.answer(offer, tracks, self._endpoint(session, sending))
        self._sessions[session.name.session] = session
        self._room(session.name.room).sessions[session.name.session] = session
        self._switchboard.add(session.agent)
        session.begin(offer.fingerprints)
        return Answer(session.name.session, text, session.etag)

    def _endpoint(self, session: Session, sending: Publication | None) -> Endpoint:
        every = isinstance(session, SubscriberSession) and session.every
        return Endpoint(
            credentials=session.agent.credentials,
            fingerprint=self._identity.fingerprint,
            candidates=self._candidates,
            cname=sending.cname if sending is not None else "",
            streams=sending.streams(every=every) if sending is not None else None,
        )

    def _room(self, name: RoomId) -> Room:
        if name not in self._rooms:
            self._rooms[name] = Room(name, self._started())
        return self._rooms[name]

    def _make_room(self, name: Name) -> None:
        for session in admission.must_go(self.config, self._sessions.values(), name):
            self.end(session, "replaced")

    def _session(self, session: SessionId) -> Session:
        found = self._sessions.get(session)
        if found is None:
            raise UnknownSession(session)
        return found

    def session(self, session: SessionId, *, ended: bool = False) -> SessionView:
        """Who the session belongs to (compare room, peer and role with the token) and its `etag`; with `ended` also of one
        that has ended lately and was not closed by its peer yet. Raises UnknownSession."""
        if ended and session in self._ended:
            return self._ended[session]
        return self._session(session).view()

    async def trickle(self, session: SessionId, fragment: str) -> Answer | None:
        """Takes a trickle-ICE fragment. The relay is ICE-lite and needs no candidates: they are only read. A fragment with
        other credentials than the peer's present ones is an ICE restart, and is answered as one.

        Raises BadOffer, UnknownSession.
        """
        found, told = self._session(session), sdp.parse_fragment(fragment)
        if told.fragment and Credentials(told.fragment, told.password) != found.remote:
            return self._restart_ice(found, told)
        return None

    async def restart_ice(self, session: SessionId, fragment: str) -> Answer:
        """Takes a fragment with new ``ice-ufrag`` and ``ice-pwd``; the answer is a fragment with the relay's new ones and
        a new etag. Media goes on over the old pair until the new one is proved, so a failed restart ends nothing.

        Raises BadOffer, UnknownSession.
        """
        found, told = self._session(session), sdp.parse_fragment(fragment)
        sdp.require_credentials(told)
        return self._restart_ice(found, told)

    def _restart_ice(self, found: Session, told: sdp.Fragment) -> Answer:
        found.remote = Credentials(told.fragment, told.password)
        self._switchboard.replace_credentials(found.agent)
        found.generation += 1
        mid, kind = found.sections[0]
        text = negotiation.restart_fragment(mid, kind, self._endpoint(found, None))
        return Answer(found.name.session, text, found.etag)

    async def close_session(self, session: SessionId) -> None:
        """Ends a session (``closed``): its last slot and `Disconnected` are emitted before this returns. One that has ended
        by itself may be closed once more, for its peer cannot know.

        Raises UnknownSession.
        """
        if self._ended.pop(session, None) is not None:
            return
        closing = self.end(self._session(session), "closed")
        del self._ended[session]
        if closing is not None:
            await asyncio.wait({closing})

    async def carry_out(self, order: Order) -> None:
        """Does what the domain ordered; returns when it is done."""
        match order:
            case CloseRoom(room):
                await self._close_room(room)
            case EndPeer(room, peer):
                await self._end_peer(room, peer)
            case GiveFloor(room, peer):
                await self._give_floor(room, peer)
            case Record(room, recording):
                await self.recorder.record(room, recording)
            case ServeSegments(room):
                self.recorder.serve_segments(room)
            case ChooseRung(room, peer, rung):
                self._choose_rung(room, peer, rung)
            case _:
                assert_never(order)

    async def _close_room(self, room: RoomId) -> None:
        """Ends every session of the room (``closed``)."""
        if room in self._rooms:
            await self._close(self._rooms[room].sessions.values())
        await self.recorder.close_room(room)

    async def _end_peer(self, room: RoomId, peer: PeerId) -> None:
        if room in self._rooms:
            await self._close(each for each in self._rooms[room].sessions.values() if each.name.peer == peer)

    async def _give_floor(self, room: RoomId, peer: PeerId | None) -> None:
        """The others' subscriptions to a classroom that lost the floor end, its sound stops at the door."""
        if room in self._rooms:
            await self._close(self._rooms[room].give_floor(peer))

    def _choose_rung(self, room: RoomId, peer: PeerId, rung: Rung | None) -> None:
        found = self._rooms.get(room)
        if found is not None and any(session.name.peer == peer for session in found.sessions.values()):
            found.receivers.choose(peer, rung, self.monotonic())

    async def _close(self, sessions: Iterable[Session]) -> None:
        closing = [task for session in list(sessions) if (task := self.end(session, "closed")) is not None]
        if closing:
            await asyncio.wait(closing)

    def snapshot(self, room: RoomId) -> RoomStats:
        """The room's sessions and layers now."""
        found = self._rooms.get(room)
        if found is None:
            return RoomStats(room, (), ())
        sessions = tuple(session.view() for session in found.sessions.values())
        return RoomStats(room, sessions, tuple(view for p in found.publications.values() for view in p.views()))

    def rooms(self) -> dict[RoomId, frozenset[PeerId]]:
        """The rooms with a session, and who receives in each."""
        return {
            name: frozenset(session.name.peer for session in room.with_role("subscriber"))
            for name, room in self._rooms.items()
            if room.sessions
        }

    def totals(self) -> RelayTotals:
        """The relay's counters since its start."""
        sessions = list(self._sessions.values())
        return RelayTotals(
            rooms=len(self.rooms()),
            publishers=sum(s.name.role == "publisher" and s.connected_at is not None for s in sessions),
            subscribers=sum(s.name.role == "subscriber" and s.connected_at is not None for s in sessions),
            unfinished=sum(s.connected_at is None for s in sessions),
            packets_in=self._packets_before + sum(room.packets for room in self._rooms.values()),
            datagrams_out=self._udp.datagrams_out if self._udp is not None else 0,
            send_failures=self._udp.send_failures if self._udp is not None else 0,
            stray=self._switchboard.stray,
            refused_checks=self._switchboard.refused_checks,
        )

    # What sessions, the recorder and the cascade need of their house.

    def lend(self, room: RoomId, source: SourceName) -> Publication:
        """A publication that is fed from the room's origin until it is taken back."""
        return self._room(room).lend(source)

    def take_back(self, room: RoomId, source: SourceName) -> None:
        """The publication is fed no more; who received it waits until a publisher comes, or leaves."""
        if room in self._rooms:
            self._rooms[room].take_back(source)
            self._drop_empty(room)

    def subscribed(self, room: RoomId, source: SourceName) -> bool:
        """Whether somebody here receives the source, or is about to."""
        return room in self._rooms and any(self._rooms[room].with_role("subscriber", source))

    def published_here(self, room: RoomId) -> list[Publication]:
        """The room's sources whose publisher is connected to this very process, and to no other one."""
        return self._rooms[room].published_here if room in self._rooms else []

    def send(self, datagram: bytes, address: Address) -> bool:
        """Puts a datagram on the wire; False when it could not be."""
        return self._udp is not None and self._udp.send(datagram, address)

    def emit(self, event: MediaEvent) -> None:
        """Tells the world. A listener that raises is logged and does not harm the class."""
        try:
            self._on_event(event)
        except Exception:
            log.exception("media_event_refused event=%s", type(event).__name__)

    def connected(self, session: Session) -> None:
        """A session came up: the peer's older one of the same kind makes room."""
        for older in self._rooms[session.name.room].connected(session, self.monotonic()):
            self.end(older, "replaced")

    def end(self, session: Session, reason: Reason) -> asyncio.Task[None] | None:
        """Takes a session out at once and says goodbye in a task; None when it has ended already."""
        if session.ended:
            return None
        del self._sessions[session.name.session]
        self._ended[session.name.session] = session.view()
        if len(self._ended) > REMEMBERED:
            del self._ended[next(iter(self._ended))]
        self._switchboard.remove(session.agent)
        self._rooms[session.name.room].leave(session, reason, self.monotonic())
        self._drop_empty(session.name.room)
        task = asyncio.create_task(session.shut(), name=f"media-goodbye-{session.name.session}")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        return task

    def _drop_empty(self, name: RoomId) -> None:
        if self._rooms[name].empty:
            self._packets_before += self._rooms.pop(name).packets
