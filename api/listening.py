"""An application on its address, from `async with` to the last byte of the last answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

from aiohttp import web

from api.starting import needed
from config.settings import Settings

SHUTDOWN_SECONDS = 5.0
"""How long answers under way may take when the server stops."""

LINGERING_SECONDS = 1.0
"""How long a body that nobody reads any more may go on before its line is cut."""


@asynccontextmanager
async def listening(app: web.Application, settings: Settings) -> AsyncIterator[str]:
    """An application on the host and port of the settings; gives its address for this machine. Raises `CannotStart`."""
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
        with needed("cannot_listen", OSError, host=settings.host, port=settings.port):
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
