"""The cascade of a large room: an edge gets each source once from the room's origin, and serves its own subscribers from it.

To the origin an edge is one more subscriber (WHEP), which takes every layer of the picture; to its subscribers the pulled source is a publication like any other: what
is lost between the two is asked for again upstream, key pictures are wanted upstream once for all. When the origin is replaced
the edge pulls from the new one, and its subscribers stay.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from media.clients.peer import Peer
from media.errors import NoFloor, NoPublisher, RelayError
from media.events import RoomId, SourceName
from media.floor import classroom_of
from media.forwarding.publication import Publication
from media.forwarding.routes import Route
from media.orders import GiveFloor, Order
from media.packets import rtcp, rtp
from media.values import Kind
from media.wire.aiortc_bridge import HandshakeFailed, Unauthentic

log = logging.getLogger(__name__)

LOOK_EVERY = 0.25
"""Seconds between two looks at a pull; while nothing comes the origin is asked for as often."""
SILENT_AFTER = 2.0
"""Seconds without a packet after which the source is asked for anew: sound comes fifty times a second."""
UNWATCHED_AFTER = 10.0
"""A source without subscribers is let go after so many seconds."""
REPORT_EVERY = 1.0
"""Seconds between two receiver reports to the origin, and between two questions where it is."""
CONNECT_WITHIN = 5.0
"""Seconds for ICE and DTLS with the origin."""
LAYERS = ("0", "1", "2", "3")
"""What an edge calls the layers of a picture, lowest first; the origin sends as many as there are."""
_LAYER = re.compile(r"a=ssrc-group:FID (\d+) (\d+)")


@dataclass(frozen=True, slots=True)
class Pulled:
    """An origin's answer to an edge's offer, and the origin's address."""

    origin: str
    sdp: str


class Upstream(Protocol):
    """How an edge reaches origins; HTTP is the caller's matter."""

    async def origin(self, room: RoomId) -> str | None:
        """The address of the room's origin; None where that is this worker, or nobody knows."""

    async def pull(self, room: RoomId, source: SourceName, offer: str) -> Pulled:
        """Takes the offer to the origin. Raises what `Relay.subscribe` raises, OSError where the origin does not answer."""

    async def close(self) -> None:
        """Frees what it holds."""


class House(Protocol):
    """What the cascade needs of its relay."""

    def monotonic(self) -> float: ...
    def lend(self, room: RoomId, source: SourceName) -> Publication: ...
    def take_back(self, room: RoomId, source: SourceName) -> None: ...
    def subscribed(self, room: RoomId, source: SourceName) -> bool: ...
    async def carry_out(self, order: Order) -> None: ...


class Pull:
    """One connection to the origin; the publisher of the edge's publication while it is attached."""

    def __init__(self, publication: Publication, monotonic: Callable[[], float]) -> None:
        self.origin = ""
        self.lost = False
        self._publication, self._monotonic = publication, monotonic
        self._peer = Peer(on_rtp=self._rtp, on_rtcp=self._rtcp, on_lost=self._on_lost)
        self._by_type: dict[int, Route] = {}
        self._by_ssrc: dict[int, Route] = {}
        self._last_at = monotonic()
        self._report_at = 0.0

    async def connect(self, pull: Callable[[str], Awaitable[Pulled]]) -> None:
        """Offers, comes up and takes the publication over. Raises what `pull` raises, and OSError."""
        answered = await pull(self._peer.offer(sends=False, rtx=True, rids=LAYERS))
        try:
            await self._peer.connect(answered.sdp, patience=CONNECT_WITHIN)
        except (HandshakeFailed, TimeoutError) as error:
            raise ConnectionError(str(error)) from error
        self.origin = answered.origin
        self._attach(answered.sdp.partition("m=video")[2])

    def _attach(self, picture: str) -> None:
        """Takes the publication over with the layers that the answer's video section tells of, lowest first."""
        assert self._peer.answer is not None
        codecs: dict[Kind, str] = {}
        for section in self._peer.answer.sections:
            if section.rejected or section.kind not in ("audio", "video"):
                continue
            kind: Kind = "audio" if section.kind == "audio" else "video"
            codecs[kind] = section.codecs[0].name
        pairs = [(int(media), int(repair)) for media, repair in _LAYER.findall(picture)][: len(LAYERS)]
        self._publication.attach(self, codecs, LAYERS[: len(pairs)] if len(pairs) > 1 else (), self._monotonic())
        for layer, (media, repair) in zip(self._publication.layers_of("video"), pairs, strict=False):
            self._by_ssrc[media], self._by_ssrc[repair] = Route(layer, False), Route(layer, True)
        for section in self._peer.answer.sections:
            best = self._publication.tracks["audio" if section.kind == "audio" else "video"].best
            for codec in section.codecs:
                self._by_type[codec.payload_type] = Route(best, codec.name == "RTX")

    def silent(self, now: float) -> bool:
        """Whether the origin ended the connection, or nothing came for a while."""
        return self.lost or now - self._last_at > SILENT_AFTER

    def _on_lost(self) -> None:
        self.lost = True

    def _rtp(self, packet: memoryview) -> None:
        if self._publication.publisher is not self:
            return
        try:
            parsed = rtp.parse(self._peer.channel.unprotect(bytes(packet)))
        except Unauthentic:
            return
        if parsed is None:
            return
        route = self._by_ssrc.get(parsed.ssrc) or self._by_type.get(parsed.payload_type)
        if route is None:
            return
        self._last_at = self._monotonic()
        if route.retransmitted:
            route.layer.arrive_repaired(parsed, self._last_at)
        else:
            route.layer.arrive(parsed, self._last_at)

    def _rtcp(self, feedback: rtcp.Feedback) -> None:
        for report in feedback.reports:
            self._publication.reported(report, self._monotonic())

    def ask(self, feedback: bytes) -> None:
        """Takes a request of the publication upstream."""
        self._peer.send_rtcp(rtcp.receiver_report(1, []) + feedback)

    def report(self, now: float) -> None:
        """Tells the origin what has come, when that is due."""
        if now < self._report_at or self._publication.publisher is not self:
            return
        self._report_at = now + REPORT_EVERY
        if receptions := self._publication.receptions:
            self._peer.send_rtcp(rtcp.receiver_report(1, [reception.block(now) for reception in receptions]))

    async def close(self) -> None:
        self._publication.detach(self)
        await self._peer.close()


class Cascade:
    """The sources this worker pulls. Owns one task for each, until `close`."""

    def __init__(self, house: House, upstream: Upstream) -> None:
        self._house, self._upstream = house, upstream
        self._keepers: dict[tuple[RoomId, SourceName], asyncio.Task[None]] = {}
        self._first: dict[tuple[RoomId, SourceName], asyncio.Future[None]] = {}

    async def ensure(self, room: RoomId, source: SourceName) -> None:
        """Returns when the source is here, or when this worker is the room's origin and need not pull it.

        Raises what the origin refuses (NoPublisher, NoFloor, Full).
        """
        key = (room, source)
        if key not in self._keepers and await self._upstream.origin(room) is None:
            return
        if key not in self._keepers:  # a whole class asks at once: while one waited, another may have begun
            self._first[key] = asyncio.get_running_loop().create_future()
            self._keepers[key] = asyncio.create_task(self._keep(room, source), name=f"media-pull-{source}")
        await asyncio.shield(self._first[key])

    async def close(self) -> None:
        """Ends every pull."""
        keepers = list(self._keepers.values())
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        await self._upstream.close()

    async def _keep(self, room: RoomId, source: SourceName) -> None:
        """The life of one pulled source: whoever waits in `ensure` hears how its first connection went."""
        key, first = (room, source), self._first[(room, source)]
        publication = self._house.lend(room, source)
        try:
            pull = await self._fresh(room, source, publication)
            first.set_result(None)
            await self._hold(room, source, publication, pull)
        except (RelayError, OSError) as error:
            if not first.done():
                first.set_exception(error if isinstance(error, RelayError) else NoPublisher(str(error), retry_after=1))
            log.info("pull_ended room=%s source=%s reason=%s", room, source, type(error).__name__)
        finally:
            del self._keepers[key], self._first[key]
            if not first.done():
                first.set_exception(NoPublisher("the pull was given up", retry_after=1))
            first.exception()  # whoever waits has it; nobody need
            self._house.take_back(room, source)

    async def _hold(self, room: RoomId, source: SourceName, publication: Publication, pull: Pull) -> None:
        """Until nobody here receives the source, or this worker has become the room's origin; then the connection ends."""
        watched_at = asked_at = self._house.monotonic()
        try:
            while publication.publisher is pull:
                await asyncio.sleep(LOOK_EVERY)
                now = self._house.monotonic()
                pull.report(now)
                if self._house.subscribed(room, source):
                    watched_at = now
                if now - watched_at > UNWATCHED_AFTER:
                    return
                if now - asked_at < (LOOK_EVERY if pull.silent(now) else REPORT_EVERY):
                    continue
                asked_at = now
                origin = await self._upstream.origin(room)
                if origin is not None and (pull.silent(now) or origin != pull.origin):
                    pull = await self._replaced(room, source, publication, pull)
        finally:
            await pull.close()

    async def _replaced(self, room: RoomId, source: SourceName, publication: Publication, old: Pull) -> Pull:
        """A new connection in place of the old one; the old one while the origin has nothing yet. What the room may not
        receive any more ends the pull."""
        try:
            new = await self._fresh(room, source, publication)
        except NoFloor:
            raise
        except (RelayError, OSError):
            return old
        try:
            await old.close()
        except BaseException:
            await new.close()
            raise
        return new

    async def _fresh(self, room: RoomId, source: SourceName, publication: Publication) -> Pull:
        pull = Pull(publication, self._house.monotonic)
        try:
            await pull.connect(lambda offer: self._upstream.pull(room, source, offer))
            if (speaker := classroom_of(source)) is not None:  # the origin lets edges have the speaker's picture alone
                await self._house.carry_out(GiveFloor(room, speaker))
        except BaseException:
            await pull.close()
            raise
        return pull
