"""A relay worker: the media doors and the relay behind them, without pages, accounts or plans. It stores its own evidence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from api import media, system
from api.composing import Stage, application, compose, foundations, relaying
from api.listening import listening
from api.security import told, watched
from api.services import CORE, Core
from config.settings import Settings
from rooms.clock import Clock, SystemClock
from rooms.cluster.ordering import OrderTaker


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
    """A worker that takes rooms; at the end it hands them to others first. Raises OSError where an address cannot be had."""
    app = build_relay(settings, clock=clock)
    core, member = app[CORE], app[CORE].member
    assert member is not None
    async with listening(app, settings) as url:
        await member.start(settings.relay_url or url)
        try:
            yield core
            await member.drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(settings.relay_drain_seconds):
                    await member.empty.wait()
        finally:
            await member.close()
