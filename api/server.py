"""A running web server, from `async with` to the last byte of the last answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from api.app import build_app
from api.listening import listening
from api.services import SERVICES, Services
from config.settings import Settings
from rooms.clock import Clock


@dataclass(frozen=True, slots=True)
class Running:
    """A server that listens. `url` is what people type, `local_url` reaches it from this machine."""

    services: Services
    url: str
    local_url: str


@asynccontextmanager
async def running(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Running]:
    """Starts everything, and stops it in the reverse order. Raises `CannotStart`."""
    app = build_app(settings, clock=clock)
    async with listening(app, settings) as local:
        yield Running(app[SERVICES], settings.public_url.rstrip("/") or local, local)
