"""A relay worker: the media doors and the relay behind them, without pages, accounts or plans. It stores its own evidence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from api import media, system
from api.composing import Stage, application, compose, foundations, relaying
from api.listening import listening
from api.security import told, watched
from api.services import CORE, Core
from config.settings import Settings
from rooms.clock import Clock, SystemClock
from rooms.cluster.ordering import OrderTaker

log = structlog.get_logger("cluster")


def build_relay(settings: Settings, *, clock: Clock | None = None) -> web.Application:
    """A worker as an aiohttp application. It is no part of the cluster before its member is started."""
    core = compose(settings, clock or SystemClock(), "relay")
    routes = [*media.routes.all, *system.routes.all]
    app = application(core, (watched(settings, core.metrics), told), routes)
    app.cleanup_ctx.extend(_stages(core))
    return app


def _stages(core: Core) -> list[Stage]:
    async def evidence(_app: web.Application) -> AsyncIterator[None]:
        await core.board.start(sweeping=False)
        await core.recordings.start(sweeping=False)
        yield
        await core.recordings.close()
        await core.board.close()

    async def orders(_app: web.Application) -> AsyncIterator[None]:
        assert core.member is not None
        taker = OrderTaker(core.bus, core.member.id, core.relay.carry_out)
        await taker.start()
        yield
        await taker.close()

    async def cascade(_app: web.Application) -> AsyncIterator[None]:
        yield
        assert core.cascade is not None
        await core.cascade.close()

    return [*foundations(core), evidence, *relaying(core), cascade, orders]


@asynccontextmanager
async def relay_running(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Core]:
    """A worker that takes rooms. Raises `CannotStart`."""
    app = build_relay(settings, clock=clock)
    core, member = app[CORE], app[CORE].member
    assert member is not None
    async with listening(app, settings) as url:
        await member.start(settings.relay_url or url)
        log.info("relay_ready", worker=member.id, url=member.url, media_port=core.relay.port)
        try:
            yield core
        finally:
            await member.close()
            log.info("relay_ends", worker=member.id, rooms=len(core.relay.rooms()))


async def drained(core: Core, at_once: asyncio.Event) -> None:
    """Hands the rooms to other workers; returns when the last has left, when the time for it is over, or `at_once`."""
    assert core.member is not None
    await core.member.drain()
    waits = [asyncio.create_task(each.wait()) for each in (core.member.empty, at_once)]
    await asyncio.wait(waits, timeout=core.settings.relay_drain_seconds, return_when=asyncio.FIRST_COMPLETED)
    for each in waits:
        each.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
