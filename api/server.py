"""A running server: the application on its address, from `async with` to the last byte of the last answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address

from aiohttp import web

from api.app import build_app
from api.services import SERVICES, Services
from config.settings import Settings
from rooms.clock import Clock

SHUTDOWN_SECONDS = 5.0
"""How long answers under way may take when the server stops."""

LINGERING_SECONDS = 1.0
"""How long a body that nobody reads any more may go on before its line is cut."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens. `url` is what people type, `local_url` reaches it from this machine."""

    services: Services
    url: str
    local_url: str


@asynccontextmanager
async def running(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Running]:
    """Starts everything, and stops it in the reverse order. Raises OSError where the address cannot be had."""
    app = build_app(settings, clock=clock)
    async with listening(app, settings) as local:
        yield Running(app[SERVICES], settings.public_url.rstrip("/") or local, local)


@asynccontextmanager
async def listening(app: web.Application, settings: Settings) -> AsyncIterator[str]:
    """An application on the host and port of the settings; gives its address for this machine."""
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=SHUTDOWN_SECONDS,
        keepalive_timeout=30,
        lingering_time=LINGERING_SECONDS,
    )
    try:
        await runner.setup()
        site = web.TCPSite(runner, settings.host, settings.port)
        await site.start()
        port = runner.addresses[0][1]
        yield f"http://{_reachable(settings.host)}:{port}"
    finally:
        await runner.cleanup()


def _reachable(host: str) -> str:
    """A wildcard address as one that can be typed."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return host if address.version == 4 else f"[{host}]"
