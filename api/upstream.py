"""How an edge worker asks a room's origin for a source: WHEP over HTTP, with a token that the workers' shared key signs."""

from __future__ import annotations

from datetime import timedelta

import aiohttp

from api.join import Join, JoinTokens
from media.cascade import Pulled
from media.errors import Full, NoFloor, NoPublisher
from media.events import EDGE, RoomId, SourceName
from rooms.cluster import Away
from rooms.cluster.member import Member

PATIENCE = 3.0
TOKEN_LIFETIME = timedelta(seconds=20)


class HttpUpstream:
    """The `media.cascade.Upstream` of a worker. One HTTP session, made at first use."""

    def __init__(self, member: Member, joins: JoinTokens) -> None:
        self._member, self._joins = member, joins
        self._session: aiohttp.ClientSession | None = None

    async def origin(self, room: RoomId) -> str | None:
        """The address of the worker that has the room; None: it is this one, or nobody knows at the moment."""
        try:
            worker = await self._member.origin(room)
        except Away:
            return None
        return worker.url if worker is not None else None

    async def pull(self, room: RoomId, source: SourceName, offer: str) -> Pulled:
        """Raises NoPublisher, NoFloor, Full as the origin says, OSError where it does not answer."""
        base = await self.origin(room)
        if base is None:
            raise NoPublisher(f"no origin of {room}", retry_after=1)
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE))
        token = self._joins.issue(
            Join(room, f"{EDGE}{self._member.id}", source, "subscribe", "relay"), lifetime=TOKEN_LIFETIME
        )
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"}
        try:
            async with self._session.post(
                f"{base}/whep/{room}/{source}", data=offer, headers=headers, allow_redirects=False
            ) as answer:
                text = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConnectionError(str(error)) from error
        if answer.status == 201:
            return Pulled(base, text)
        if answer.status == 403:
            raise NoFloor(f"{source} of {room}")
        if answer.status == 503:
            raise Full(f"{base} is full", retry_after=int(answer.headers.get("Retry-After", "1")))
        raise NoPublisher(f"{base} answered {answer.status}", retry_after=1)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
