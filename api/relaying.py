"""A relay worker: the media doors and the relay behind them, without pages, accounts or plans. It stores its own evidence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from api import media, system
from api.app import Stage, application, compose, foundations, relaying
from api.security import told, watched
from api.server import listening
from api.services import SERVICES, Services
from config.settings import Settings
from rooms.clock import Clock, SystemClock
from rooms.cluster.ordering import OrderTaker


def build_relay(settings: Settings, *, clock: Clock | None = None) -> web.Application:
    """A worker as an aiohttp application. It is no part of the cluster before its member is started."""
    services = compose(settings, clock or SystemClock(), "relay")
    routes = [*media.routes.all, *system.routes.all]
    app = application(services, (watched(settings, services.metrics), told), routes)
    app.cleanup_ctx.extend(_stages(services))
    return app


def _stages(services: Services) -> list[Stage]:
    async def evidence(_app: web.Application) -> AsyncIterator[None]:
        await services.board.start(sweeping=False)
        await services.recordings.start(sweeping=False)
        yield
        await services.recordings.close()
        await services.board.close()

    async def orders(_app: web.Application) -> AsyncIterator[None]:
        assert services.member is not None
        taker = OrderTaker(services.bus, services.member.id, services.relay.carry_out)
        await taker.start()
        yield
        await taker.close()

    async def cascade(_app: web.Application) -> AsyncIterator[None]:
        yield
        assert services.cascade is not None
        await services.cascade.close()

    return [*foundations(services), evidence, *relaying(services), cascade, orders]


@asynccontextmanager
async def relay_running(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Services]:
    """A worker that takes rooms; at the end it hands them to others first. Raises OSError where an address cannot be had."""
    app = build_relay(settings, clock=clock)
    services, member = app[SERVICES], app[SERVICES].member
    assert member is not None
    async with listening(app, settings) as url:
        await member.start(settings.relay_url or url)
        try:
            yield services
            await member.drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(settings.relay_drain_seconds):
                    await member.empty.wait()
        finally:
            await member.close()
