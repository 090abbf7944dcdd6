"""The one composition root: which parts a server has, in which order they start and stop, and which routes it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Literal

from aiohttp import web
from aiohttp.typedefs import Middleware

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
from api.hall import Hall
from api.join import JoinTokens, encoder_key, join_key
from api.limits import Limits
from api.metrics import Metrics
from api.onlookers import Onlookers
from api.pages import Pages
from api.routing import Route, serve
from api.services import SERVICES, Services
from api.static_files import serve_static
from api.system import DOCUMENT, printed
from api.upstream import HttpUpstream
from config.settings import Settings
from media.cascade import Cascade
from media.encoders.addresses import Allowed
from media.encoders.rtmp.door import RtmpDoor
from media.events import MediaEvent, RecordingEnded, RecordingFailed, RecordingStarted, is_edge
from media.orders import InProcess
from media.relay import Relay
from media.values import RelayConfig
from rooms.audit.checkpoints import Checkpointer
from rooms.audit.notes import open_key
from rooms.bus.choice import open_bus
from rooms.clock import Clock, SystemClock
from rooms.cluster.choice import open_placement
from rooms.cluster.member import Member
from rooms.cluster.ordering import OverBus
from rooms.cluster.watch import Watch
from rooms.encoders.gear import Gear, Vault
from rooms.encoders.keeper import EncoderKeeper
from rooms.live.board import LiveBoard
from rooms.live.vitals import Vitals
from rooms.migrations import upgrade
from rooms.people.scope import Principal
from rooms.people.sessions import principal_of
from rooms.planning.jobs import PlanJobs
from rooms.planning.queue import open_broker
from rooms.planning.runs import PlanRuns
from rooms.recordings import Recordings
from rooms.rulesets import load_rules
from rooms.store import Store

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
Kind = Literal["alone", "web", "relay"]
"""A server with everything, one whose live media is on workers, and such a worker."""
BODY_LIMIT = 256 * 1024
"""Bytes of a body that is no upload."""


def build_app(settings: Settings, *, clock: Clock | None = None) -> web.Application:
    """A whole server as an aiohttp application; everything it owns starts and ends with it."""
    services = compose(settings, clock or SystemClock(), "alone" if settings.relay_in_process else "web")

    async def find(token: str) -> Principal | None:
        return await principal_of(services.store, services.clock, settings, token)

    guards = security.middlewares(settings, find, services.metrics)
    app = application(services, guards, every_route())
    app.router.add_get("/static/{name:.+}", serve_static)
    app.cleanup_ctx.extend(stages(services))

    async def end_talks(_app: web.Application) -> None:
        """WebSockets last as long as their class: they are ended first, or the server would wait for them."""
        await services.onlookers.close()
        await services.hall.close()

    app.on_shutdown.append(end_talks)
    return app


def application(services: Services, guards: Sequence[Middleware], routes: list[Route]) -> web.Application:
    """The routes and their document behind their guards; nothing runs yet."""
    app = web.Application(middlewares=guards, client_max_size=BODY_LIMIT)
    app[SERVICES] = services
    app[DOCUMENT] = printed(routes)
    app.on_response_prepare.extend((security.harden, media.open_to_pages))
    for route in routes:
        app.router.add_route(route.method, route.path, serve(route))
    return app


def compose(settings: Settings, clock: Clock, kind: Kind) -> Services:
    """Makes every part; none of them runs yet, and a worker will start few of them."""
    redis_url = settings.redis_url.get_secret_value()
    store = Store(settings.database)
    bus = open_bus(redis_url)
    jobs = PlanJobs(store, clock, settings, open_broker(redis_url))

    def heard(event: MediaEvent) -> None:
        if isinstance(event, RecordingStarted | RecordingEnded | RecordingFailed):
            recordings.on_media_event(event)
        elif not is_edge(event.peer):
            board.on_media_event(event)

    async def offered(room: str, side: str, offer: str) -> str:
        return await encoders.post_offer(services, room, side, offer)

    relay = Relay(relay_config(settings), heard, now=clock.now, monotonic=clock.monotonic)
    placement = open_placement(redis_url if kind != "alone" else "", clock.monotonic, settings.relay_room_share)
    media_port = InProcess(relay.carry_out) if kind == "alone" else OverBus(placement, bus)
    board = LiveBoard(store, clock, bus, load_rules(settings.attendance_rules), settings, media_port)
    recordings = Recordings(store, clock, settings, media_port, board.tell)
    hall = Hall(bus, board.state, clock, placement.find)
    joins = JoinTokens(join_key(settings), clock)
    member = Member(relay, placement, bus, clock.monotonic) if kind != "web" else None
    services = Services(
        settings=settings,
        store=store,
        clock=clock,
        bus=bus,
        relay=relay,
        member=member,
        cascade=Cascade(relay, HttpUpstream(member, joins)) if member is not None and kind == "relay" else None,
        placement=placement,
        watch=Watch(placement, hall.relay_gone, settings.relay_origins),
        media=media_port,
        board=board,
        recordings=recordings,
        encoders=EncoderKeeper(store, clock, bus, encoder_gear(settings), offered),
        plan_jobs=jobs,
        plan_runs=PlanRuns(store, clock, jobs.kick),
        pages=Pages(settings),
        limits=Limits(redis_url, scale=settings.rate_limit_scale),
        metrics=Metrics(),
        joins=joins,
        hall=hall,
        onlookers=Onlookers(hall, clock),
        vitals=Vitals(relay.snapshot, bus, clock),
        checkpointer=Checkpointer(
            store, clock, bus, lambda: open_key(settings.data_dir, settings.public_url), settings.checkpoint_seconds
        ),
    )
    return services


def encoder_gear(settings: Settings) -> Gear:
    """What the settings let this server reach of recording rooms' encoders."""
    allowed = Allowed(settings.media_encoder_networks, frozenset(settings.media_encoder_ports))
    door = RtmpDoor(settings.media_host, settings.media_rtmp_port) if settings.media_rtmp_port else None
    return Gear(Vault(lambda: encoder_key(settings)), allowed, door)


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


Stage = Callable[[web.Application], AsyncIterator[None]]


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


def foundations(services: Services) -> list[Stage]:
    """Storage, bus, placement and limits: what every process with live classes stands on."""

    async def storage(_app: web.Application) -> AsyncIterator[None]:
        await upgrade(services.store)
        yield
        await services.store.close()

    async def bus(_app: web.Application) -> AsyncIterator[None]:
        yield
        await services.bus.close()

    async def redis(_app: web.Application) -> AsyncIterator[None]:
        yield
        await services.placement.close()
        await services.limits.close()

    return [storage, bus, redis]


def relaying(services: Services) -> list[Stage]:
    """The relay of this process, and what watches it."""

    async def relay(_app: web.Application) -> AsyncIterator[None]:
        await services.relay.start()
        yield
        await services.relay.close()

    async def vitals(_app: web.Application) -> AsyncIterator[None]:
        services.vitals.start()
        yield
        await services.vitals.close()

    return [relay, vitals]
