"""The one composition root: which parts a server has, in which order they start and stop, and which routes it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from aiohttp import web

from api import bureau, classroom, feeds, identity, live, media, operators, planner, security, system, talk, teacher
from api.hall import Hall
from api.join import JoinTokens, secret_key
from api.limits import Limits
from api.metrics import Metrics
from api.onlookers import Onlookers
from api.pages import Pages
from api.routing import Route, serve
from api.services import SERVICES, Services
from api.static_files import serve_static
from api.system import DOCUMENT, printed
from config.settings import Settings
from media.events import Connected, Disconnected, MediaEvent, MediaSlot
from media.orders import InProcess
from media.relay import Relay
from media.values import RelayConfig
from rooms.audit.checkpoints import Checkpointer
from rooms.audit.notes import open_key
from rooms.bus.choice import open_bus
from rooms.clock import Clock, SystemClock
from rooms.live.board import LiveBoard
from rooms.live.vitals import Vitals
from rooms.migrations import upgrade
from rooms.people.scope import Principal
from rooms.people.sessions import principal_of
from rooms.planning.jobs import PlanJobs
from rooms.planning.queue import open_broker
from rooms.planning.runs import PlanRuns
from rooms.rulesets import load_rules
from rooms.store import Store

MODULES = (system, identity, planner, teacher, classroom, live, talk, bureau, operators, media, feeds)
BODY_LIMIT = 256 * 1024
"""Bytes of a body that is no upload."""


def build_app(settings: Settings, *, clock: Clock | None = None) -> web.Application:
    """A whole server as an aiohttp application; everything it owns starts and ends with it."""
    services = compose(settings, clock or SystemClock())

    async def find(token: str) -> Principal | None:
        return await principal_of(services.store, services.clock, settings, token)

    guards = security.middlewares(settings, find, services.metrics)
    app = web.Application(middlewares=guards, client_max_size=BODY_LIMIT)
    app[SERVICES] = services
    app.on_response_prepare.extend((security.harden, media.open_to_pages))
    register(app, every_route())
    app.cleanup_ctx.extend(stages(services))

    async def end_talks(_app: web.Application) -> None:
        """WebSockets last as long as their class: they are ended first, or the server would wait for them."""
        await services.onlookers.close()
        await services.hall.close()

    app.on_shutdown.append(end_talks)
    return app


def compose(settings: Settings, clock: Clock) -> Services:
    """Makes every part; none of them runs yet."""
    store = Store(settings.database)
    bus = open_bus(settings.redis_url.get_secret_value())
    jobs = PlanJobs(store, clock, settings, open_broker(settings.redis_url.get_secret_value()))

    def heard(event: MediaEvent) -> None:
        if isinstance(event, Connected | Disconnected | MediaSlot):
            board.on_media_event(event)

    relay = Relay(relay_config(settings), heard, now=clock.now, monotonic=clock.monotonic)
    media_port = InProcess(relay.carry_out)
    board = LiveBoard(store, clock, bus, load_rules(settings.attendance_rules), settings, media_port)
    hall = Hall(bus, board.state, clock)
    return Services(
        settings=settings,
        store=store,
        clock=clock,
        bus=bus,
        relay=relay,
        media=media_port,
        board=board,
        plan_jobs=jobs,
        plan_runs=PlanRuns(store, clock, jobs.kick),
        pages=Pages(settings),
        limits=Limits(settings.redis_url.get_secret_value(), scale=settings.rate_limit_scale),
        metrics=Metrics(),
        joins=JoinTokens(secret_key(settings.data_dir, "join.key"), clock),
        hall=hall,
        onlookers=Onlookers(hall, clock),
        vitals=Vitals(relay.snapshot, bus, clock),
        checkpointer=Checkpointer(
            store, clock, bus, open_key(settings.data_dir, settings.public_url), settings.checkpoint_seconds
        ),
    )


def relay_config(settings: Settings) -> RelayConfig:
    """The relay's part of the settings."""
    return RelayConfig(
        host=settings.media_host,
        port=settings.media_port,
        announce=settings.media_announce,
        max_subscribers=settings.media_max_subscribers,
        slot_seconds=settings.media_slot_seconds,
        slot_grace_seconds=min(8.0, settings.media_slot_seconds * 2),
        folder=settings.data_dir,
        must_stay_free=settings.recording_reserve_mb << 20,
    )


def every_route() -> list[Route]:
    """The routes of every module, in order."""
    return [route for module in MODULES for route in module.routes.all]


def register(app: web.Application, routes: list[Route]) -> None:
    """Puts the routes and their document into the application."""
    app[DOCUMENT] = printed(routes)
    for route in routes:
        app.router.add_route(route.method, route.path, serve(route))
    app.router.add_get("/static/{name:.+}", serve_static)


Stage = Callable[[web.Application], AsyncIterator[None]]


def stages(services: Services) -> list[Stage]:
    """What starts, in order; it stops in the reverse order, so that what is said last can still be stored."""

    async def storage(_app: web.Application) -> AsyncIterator[None]:
        await upgrade(services.store)
        yield
        await services.store.close()

    async def bus(_app: web.Application) -> AsyncIterator[None]:
        yield
        await services.bus.close()

    async def board(_app: web.Application) -> AsyncIterator[None]:
        await services.board.start()
        yield
        await services.board.close()

    async def relay(_app: web.Application) -> AsyncIterator[None]:
        await services.relay.start()
        yield
        await services.relay.close()

    async def hall(_app: web.Application) -> AsyncIterator[None]:
        yield
        await services.onlookers.close()
        await services.hall.close()

    async def plans(_app: web.Application) -> AsyncIterator[None]:
        await services.plan_jobs.start()
        yield
        await services.plan_jobs.close()

    async def checkpoints(_app: web.Application) -> AsyncIterator[None]:
        await services.checkpointer.start()
        yield
        await services.checkpointer.close()

    async def vitals(_app: web.Application) -> AsyncIterator[None]:
        services.vitals.start()
        yield
        await services.vitals.close()

    return [storage, bus, checkpoints, board, relay, vitals, hall, plans]
