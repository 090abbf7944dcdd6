"""WHIP and WHEP of one class as its two sides use them, with real offers and real media."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import ClientSession
from api_world import Site

from api.join import Join
from api.media import SDP
from media.clients.peer import Peer
from media.clients.synthetic import SyntheticPublisher


class Doors:
    """WHIP and WHEP of one class, as its two sides see them."""

    def __init__(self, site: Site, client: ClientSession) -> None:
        self.site, self.client, self.side = site, client, site.world.here

    def token(self, role: str = "publish", **other: str) -> str:
        mine = self.side.lead_side if role == "publish" else self.side.receiver_side
        values = {"room": self.side.occurrence, "side": mine, "source": "lead", "role": role, "holder": "test"} | other
        return self.site.server.services.joins.issue(Join(**values))  # type: ignore[arg-type]  # roles that do not exist, too

    async def post(
        self, door: str, offer: str, token: str = "", kind: str = SDP, source: str = "lead"
    ) -> aiohttp.ClientResponse:
        headers = {"Content-Type": kind}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        address = f"/{door}/{self.side.occurrence}/{source}"
        async with self.client.post(address, data=offer.encode(), headers=headers) as answer:
            await answer.read()
            return answer

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[aiohttp.ClientResponse]:
        """A test pattern that is being published through WHIP."""
        answers = []

        async def offer(sdp: str) -> str:
            answers.append(await self.post("whip", sdp, self.token()))
            assert answers[0].status == 201
            return await answers[0].text()

        publisher = SyntheticPublisher()
        await publisher.start(offer)
        try:
            yield answers[0]
        finally:
            await publisher.close()


@asynccontextmanager
async def offering(*, sends: bool = True) -> AsyncIterator[tuple[Peer, str]]:
    peer = Peer()
    try:
        yield peer, peer.offer(sends=sends)
    finally:
        await peer.close()
