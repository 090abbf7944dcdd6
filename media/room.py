"""A room: its sources, everybody's sessions in it, who has the floor, and what each receiver is sent.

It is there as long as somebody has a session in it, or a cascade feeds it; nothing is remembered of it afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

from media.errors import NoFloor, NoPublisher
from media.events import PeerId, Reason, Role, RoomId, SessionId, SourceName
from media.floor import LEAD, classroom_of
from media.forwarding.publication import Publication
from media.rungs import Receivers
from media.sessions.publishing import PublisherSession
from media.sessions.session import Session
from media.sessions.subscribing import SubscriberSession
from media.wire.udp import UdpPort

RETRY_NO_PUBLISHER = 2
"""Seconds a subscriber is asked to wait for somebody to publish."""


class Room:
    """One room of a relay. `now` is always monotonic seconds."""

    def __init__(self, name: RoomId, port: UdpPort) -> None:
        self.name, self._port = name, port
        self.sessions: dict[SessionId, Session] = {}
        self.publications: dict[SourceName, Publication] = {}
        self.receivers = Receivers()
        self.packets_before = 0
        """Packets of publications that are no more."""
        self._speaker: PeerId | None = None
        """The classroom that has the floor (`media.floor`)."""
        self._lent: set[SourceName] = set()
        """Publications that an edge's cascade feeds."""

    @property
    def empty(self) -> bool:
        """Nobody is here, and nothing is fed."""
        return not self.sessions and not self._lent

    @property
    def packets(self) -> int:
        """RTP packets that arrived from its publishers."""
        return self.packets_before + sum(publication.packets for publication in self.publications.values())

    @property
    def published_here(self) -> list[Publication]:
        """The sources whose publisher is connected to this very process, and to no other one."""
        return [each for each in self.publications.values() if isinstance(each.publisher, PublisherSession)]

    def with_role(self, role: Role, source: SourceName | None = None) -> Iterator[Session]:
        """The sessions of publishers or of subscribers, of one source or of all."""
        for session in self.sessions.values():
            if session.name.role == role and source in (None, session.name.source):
                yield session

    # Sources.

    def taken(self, source: SourceName, peer: PeerId) -> bool:
        """Whether another peer publishes the source, or is about to."""
        standing = self.publications.get(source)
        if standing is None or standing.owner == peer or source in self._lent:
            return False
        return standing.publisher is not None or any(self.with_role("publisher", source))

    def publish(self, source: SourceName, owner: PeerId) -> Publication:
        """The source, which is the owner's from now on."""
        publication = self._publication(source, owner)
        publication.owner = owner
        publication.silent = not self._is_open(source)
        return publication

    def _publication(self, source: SourceName, owner: PeerId) -> Publication:
        if source not in self.publications:
            self.publications[source] = Publication(self.name, source, owner, self._port)
        return self.publications[source]

    def published(self, source: SourceName, peer: PeerId) -> Publication:
        """The source for a peer that wants to receive it. Raises NoFloor, NoPublisher."""
        if not self._may_receive(source, peer):
            raise NoFloor(f"{source} of {self.name}")
        publication = self.publications.get(source)
        if publication is None or publication.publisher is None:
            raise NoPublisher(f"{source} of {self.name}", retry_after=RETRY_NO_PUBLISHER)
        return publication

    def lend(self, source: SourceName) -> Publication:
        """A publication that is fed from the room's origin until it is taken back."""
        self._lent.add(source)
        return self._publication(source, PeerId(""))

    def take_back(self, source: SourceName) -> None:
        """The publication is fed no more; who received it waits until a publisher comes, or leaves."""
        self._lent.discard(source)
        self._drop_unused(source)

    def _drop_unused(self, source: SourceName) -> None:
        if source in self._lent or any(session.name.source == source for session in self.sessions.values()):
            return
        publication = self.publications.pop(source, None)
        if publication is not None:
            self.packets_before += publication.packets
            publication.close()

    # The floor.

    def give_floor(self, peer: PeerId | None) -> list[Session]:
        """Only this classroom is heard and seen by all; None: only the lead. The sessions that may not go on are returned."""
        self._speaker = peer
        for source, publication in self.publications.items():
            publication.silent = not self._is_open(source)
        return [
            session
            for session in self.with_role("subscriber")
            if not self._may_receive(session.name.source, session.name.peer)
        ]

    def _is_open(self, source: SourceName) -> bool:
        """Whether everybody in the room may see and hear the source."""
        classroom = classroom_of(source)
        return classroom is None or classroom == self._speaker

    def _may_receive(self, source: SourceName, peer: PeerId) -> bool:
        lead = self.publications.get(LEAD)
        return self._is_open(source) or (lead is not None and lead.owner == peer)

    # Sessions.

    def connected(self, session: Session, now: float) -> list[Session]:
        """A session came up: it gets its part. The peer's older ones of the same kind are returned; they make room."""
        if isinstance(session, SubscriberSession):
            self.receivers.join(session, now)
        return [
            other
            for other in self.with_role(session.name.role, session.name.source)
            if other is not session and other.name.peer == session.name.peer and other.created_at <= session.created_at
        ]

    def leave(self, session: Session, reason: Reason, now: float) -> None:
        """The session ends: its last words are said, and nothing of it stays."""
        del self.sessions[session.name.session]
        session.finish(reason, now)
        if isinstance(session, SubscriberSession):
            self.receivers.leave(session, now)
        self._drop_unused(session.name.source)
        if not self.sessions:
            self._speaker = None
            self.receivers.forget()

    def tick(self, now: float) -> None:
        """What its sources must do now, and whether its receivers' lines carry what they are sent."""
        for publication in list(self.publications.values()):
            publication.tick(now)
        self.receivers.tick(now)
