"""A lesson led from a recording room: its teacher lets the room's encoder send instead of the page."""

from __future__ import annotations

from typing import Any

import aiohttp
from aiohttp import web

from api.join import Join
from api.live import OccurrencePath, lead_of
from api.problems import Problem
from api.routing import Call, Nothing, Routes, RowId, Shape
from api.services import Core, Services
from api.workers import elsewhere
from media.errors import Full, RelayError
from media.events import PeerId, RoomId, SourceName
from rooms.encoders import uses
from rooms.live.sources import LEAD

routes = Routes("encoders")

OFFER_SECONDS = 10.0


class EncoderOffer(Shape):
    """An encoder of the room that the lesson is led from."""

    id: int
    name: str
    kind: str


class EncoderNow(Shape):
    """Which encoders there are, which one sends (None: the page does), and how it does (docs/LIVE_PROTOCOL.md, `encoder`)."""

    choices: list[EncoderOffer]
    used: int | None
    state: dict[str, Any] | None


class Chosen(Shape):
    encoder: RowId


@routes.get("/api/live/{occurrence}/encoder", needs="lesson.teach", summary="The encoders a lesson may be led from")
async def now(call: Call[OccurrencePath, Nothing, Nothing]) -> EncoderNow:
    view = await lead_of(call, call.path.occurrence)
    return await _now(call.app, view.id)


@routes.post("/api/live/{occurrence}/encoder", needs="lesson.teach", summary="Let an encoder send instead of the page")
async def choose(call: Call[OccurrencePath, Nothing, Chosen]) -> EncoderNow:
    view = await lead_of(call, call.path.occurrence)
    await call.app.board.enter(call.actor, view.lead.id)
    await uses.use(call.app.store, call.app.clock, call.actor, view.id, call.body.encoder)
    call.app.encoders.wake()
    return await _now(call.app, view.id)


@routes.delete("/api/live/{occurrence}/encoder", needs="lesson.teach", summary="Let the page send again", status=200)
async def leave(call: Call[OccurrencePath, Nothing, Nothing]) -> EncoderNow:
    view = await lead_of(call, call.path.occurrence)
    await uses.stop_using(call.app.store, call.app.clock, call.actor, view.id)
    call.app.encoders.wake()
    return await _now(call.app, view.id)


async def _now(app: Services, occurrence_id: str) -> EncoderNow:
    async with app.store.read() as session:
        found = await uses.choices(session, occurrence_id)
        used = await uses.used_by(session, occurrence_id)
    offers = [EncoderOffer(id=each.id, name=each.name, kind=each.kind) for each in found]
    return EncoderNow(choices=offers, used=used, state=app.encoders.state(occurrence_id))


async def post_offer(core: Core, room: str, side: str, offer: str) -> str:
    """An encoder's offer to the relay that has the room, here or on a worker; its answer. Raises RelayError."""
    try:
        worker = await elsewhere(core, RoomId(room), None)
    except Problem as problem:
        raise Full(problem.code, retry_after=1) from None
    if worker is None:
        return (await core.relay.publish(RoomId(room), SourceName(LEAD), PeerId(side), offer)).sdp
    token = core.joins.issue(Join(room=room, side=side, source=LEAD, role="publish", holder="encoder"))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    timeout = aiohttp.ClientTimeout(total=OFFER_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(f"{worker.url}/whip/{room}/{LEAD}", data=offer, headers=headers) as answer,
        ):
            if answer.status != web.HTTPCreated.status_code:
                raise RelayError(f"status {answer.status}")
            return await answer.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise RelayError(type(error).__name__) from None
