"""The one composition root: the parts of a process with live classes, made in one place whatever it is, and what they stand on.

`compose` makes what web servers and relay workers share; `api.app` adds what people see and work with, and only a process that is a
web server loads it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Literal

from aiohttp import web
from aiohttp.typedefs import Middleware

from api import media, security
from api.join import JoinTokens, join_key
from api.limits import Limits
from api.metrics import Metrics
from api.routing import Route, serve
from api.services import CORE, Core
from api.starting import needed, open_storage
from api.system import DOCUMENT, printed
from api.upstream import HttpUpstream
from config.settings import Settings
from media.cascade import Cascade
from media.events import Connected, MediaEvent, RecordingEnded, RecordingFailed, RecordingStarted, is_edge
from media.orders import InProcess
from media.relay import Relay
from media.values import RelayConfig
from rooms.bus.choice import open_bus
from rooms.clock import Clock
from rooms.cluster.choice import open_placement
from rooms.cluster.member import Member
from rooms.cluster.ordering import OverBus
from rooms.live.board import LiveBoard
from rooms.live.vitals import Vitals
from rooms.recordings import Recordings
from rooms.rulesets import load_rules
from rooms.store import Store

Kind = Literal["alone", "web", "relay"]
"""A server with everything, one whose live media is on workers, and such a worker."""
BODY_LIMIT = 256 * 1024
"""Bytes of a body that is no upload."""

Stage = Callable[[web.Application], AsyncIterator[None]]
"""A part that starts and stops with the application."""


def compose(settings: Settings, clock: Clock, kind: Kind) -> Core:
    """Makes the parts; none of them runs yet. Raises `CannotStart`."""
    redis_url = settings.redis_url.get_secret_value()
    store = Store(settings.database)
    bus = open_bus(redis_url)

    def heard(event: MediaEvent) -> None:
        if isinstance(event, RecordingStarted | RecordingEnded | RecordingFailed):
            recordings.on_media_event(event)
        elif not is_edge(event.peer):
            board.on_media_event(event)
            if isinstance(event, Connected):
                recordings.on_media_event(event)

    relay = Relay(relay_config(settings), heard, now=clock.now, monotonic=clock.monotonic)
    placement = open_placement(redis_url if kind != "alone" else "", clock.monotonic, settings.relay_room_share)
    media_port = InProcess(relay.carry_out) if kind == "alone" else OverBus(placement, bus)
    with needed("rules_unreadable", OSError, ValueError, name=settings.attendance_rules):
        rules = load_rules(settings.attendance_rules)
    board = LiveBoard(store, clock, bus, rules, settings, media_port)
    recordings = Recordings(store, clock, settings, media_port, board.tell)
    with needed("folder_closed", OSError, folder=settings.data_dir):
        if kind != "relay" or not settings.database_url:  # a worker with PostgreSQL may have none before it records
            settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        joins = JoinTokens(join_key(settings), clock)
    member = Member(relay, placement, bus, clock.monotonic) if kind != "web" else None
    return Core(
        settings=settings,
        store=store,
        clock=clock,
        bus=bus,
        relay=relay,
        member=member,
        cascade=Cascade(relay, HttpUpstream(member, joins)) if member is not None and kind == "relay" else None,
        placement=placement,
        media=media_port,
        board=board,
        recordings=recordings,
        limits=Limits(redis_url, scale=settings.rate_limit_scale),
        metrics=Metrics(),
        joins=joins,
        vitals=Vitals(relay.snapshot, bus, clock),
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


def application(core: Core, guards: Sequence[Middleware], routes: list[Route]) -> web.Application:
    """The routes and their document behind their guards; nothing runs yet."""
    app = web.Application(middlewares=guards, client_max_size=BODY_LIMIT)
    app[CORE] = core
    app[DOCUMENT] = printed(tuple(routes))
    app.on_response_prepare.extend((security.harden, media.open_to_pages))
    for route in routes:
        app.router.add_route(route.method, route.path, serve(route))
    return app


def foundations(core: Core) -> list[Stage]:
    """Storage, bus, placement and limits: what every process with live classes stands on."""

    async def storage(_app: web.Application) -> AsyncIterator[None]:
        try:
            await open_storage(core.store)
            yield
        finally:
            await core.store.close()

    async def bus(_app: web.Application) -> AsyncIterator[None]:
        yield
        await core.bus.close()

    async def redis(_app: web.Application) -> AsyncIterator[None]:
        yield
        await core.placement.close()
        await core.limits.close()

    return [storage, bus, redis]


def relaying(core: Core) -> list[Stage]:
    """The relay of this process, and what watches it."""

    async def relay(_app: web.Application) -> AsyncIterator[None]:
        config = core.relay.config
        with needed("media_port_closed", OSError, ValueError, host=config.host, port=config.port):
            await core.relay.start()
        yield
        await core.relay.close()

    async def vitals(_app: web.Application) -> AsyncIterator[None]:
        core.vitals.start()
        yield
        await core.vitals.close()

    return [relay, vitals]
