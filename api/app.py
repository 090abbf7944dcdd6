"""A web server: what it has beside the core of every process, in which order all of it starts and stops, and which routes it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import fields

from aiohttp import web

from api import (
    bureau,
    classroom,
    encoders,
    feeds,
    identity,
    live,
    media,
    operators,
    planner,
    replay,
    security,
    segments,
    system,
    talk,
    teacher,
)
from api.composing import Stage, application, compose, foundations, relaying
from api.hall import Hall
from api.join import encoder_key
from api.onlookers import Onlookers
from api.pages import Pages
from api.routing import Route
from api.services import SERVICES, Core, Services
from api.starting import needed
from api.static_files import serve_static
from config.settings import Settings
from media.encoders.addresses import Allowed
from media.encoders.rtmp.door import RtmpDoor
from rooms.audit.checkpoints import Checkpointer
from rooms.audit.notes import open_key
from rooms.clock import Clock, SystemClock
from rooms.cluster.watch import Watch
from rooms.encoders.gear import Gear, Vault
from rooms.encoders.keeper import EncoderKeeper
from rooms.people.scope import Principal
from rooms.people.sessions import principal_of
from rooms.planning.jobs import PlanJobs
from rooms.planning.queue import open_broker
from rooms.planning.runs import PlanRuns

MODULES = (
    system,
    identity,
    planner,
    teacher,
    classroom,
    live,
    encoders,
    talk,
    replay,
    segments,
    bureau,
    operators,
    media,
    feeds,
)


def build_app(settings: Settings, *, clock: Clock | None = None) -> web.Application:
    """A whole server as an aiohttp application; everything it owns starts and ends with it."""
    core = compose(settings, clock or SystemClock(), "alone" if settings.relay_in_process else "web")
    services = furnished(core)

    async def find(token: str) -> Principal | None:
        return await principal_of(services.store, services.clock, settings, token)

    guards = security.middlewares(settings, find, services.metrics)
    app = application(services, guards, every_route())
    app[SERVICES] = services
    app.router.add_get("/static/{name:.+}", serve_static)
    app.cleanup_ctx.extend(stages(services))

    async def end_talks(_app: web.Application) -> None:
        """WebSockets last as long as their class: they are ended first, or the server would wait for them."""
        await services.onlookers.close()
        await services.hall.close()

    app.on_shutdown.append(end_talks)
    return app


def furnished(core: Core) -> Services:
    """The core with what people see and work with; none of it runs yet."""
    settings, store, clock, bus = core.settings, core.store, core.clock, core.bus
    jobs = PlanJobs(store, clock, settings, open_broker(settings.redis_url.get_secret_value()))
    hall = Hall(bus, core.board.state, clock, core.placement.find)
    watch = Watch(core.placement, hall.relay_gone, settings.relay_origins)
    core.metrics.add_workers(lambda: watch.workers)

    async def offered(room: str, side: str, offer: str) -> str:
        return await encoders.post_offer(core, room, side, offer)

    shared = {each.name: getattr(core, each.name) for each in fields(core)}
    return Services(
        **shared,
        watch=watch,
        encoders=EncoderKeeper(store, clock, bus, encoder_gear(settings), offered),
        plan_jobs=jobs,
        plan_runs=PlanRuns(store, clock, jobs.kick),
        pages=Pages(settings),
        hall=hall,
        onlookers=Onlookers(hall, clock),
        checkpointer=Checkpointer(
            store, clock, bus, lambda: open_key(settings.data_dir, settings.public_url), settings.checkpoint_seconds
        ),
    )


def encoder_gear(settings: Settings) -> Gear:
    """What the settings let this server reach of recording rooms' encoders."""
    allowed = Allowed(settings.media_encoder_networks, frozenset(settings.media_encoder_ports))
    door = RtmpDoor(settings.media_host, settings.media_rtmp_port) if settings.media_rtmp_port else None
    return Gear(Vault(lambda: encoder_key(settings)), allowed, door, settings.media_rtmp_url)


def every_route() -> list[Route]:
    """The routes of every module, in order."""
    return [route for module in MODULES for route in module.routes.all]


def stages(services: Services) -> list[Stage]:
    """What starts in a web server, in order; it stops in the reverse order, so that what is said last can still be stored."""

    async def board(_app: web.Application) -> AsyncIterator[None]:
        await services.board.start()
        yield
        await services.board.close()

    async def recordings(_app: web.Application) -> AsyncIterator[None]:
        await services.recordings.start()
        yield
        await services.recordings.close()

    async def member(_app: web.Application) -> AsyncIterator[None]:
        if services.member is not None:
            await services.member.start("")
        yield
        if services.member is not None:
            await services.member.close()

    async def watch(_app: web.Application) -> AsyncIterator[None]:
        await services.watch.start()
        yield
        await services.watch.close()

    async def hall(_app: web.Application) -> AsyncIterator[None]:
        yield
        await services.onlookers.close()
        await services.hall.close()

    async def room_encoders(_app: web.Application) -> AsyncIterator[None]:
        settings = services.settings
        with needed("rtmp_port_closed", OSError, host=settings.media_host, port=settings.media_rtmp_port):
            await services.encoders.start()
        yield
        await services.encoders.close()

    async def plans(_app: web.Application) -> AsyncIterator[None]:
        await services.plan_jobs.start()
        yield
        await services.plan_jobs.close()

    async def checkpoints(_app: web.Application) -> AsyncIterator[None]:
        await services.checkpointer.start()
        yield
        await services.checkpointer.close()

    media_here = [*relaying(services), member] if services.member is not None else []
    return [*foundations(services), checkpoints, board, recordings, *media_here, watch, hall, room_encoders, plans]
