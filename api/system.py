"""What machines ask a server: is it well, how does it do, what can it do."""

from __future__ import annotations

import hmac
import json
from functools import cache
from ipaddress import ip_address
from typing import Literal

from aiohttp import web
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from api.openapi import document
from api.problems import Problem
from api.routing import PUBLIC, Call, Nothing, Route, Routes, Shape
from config import VERSION
from rooms.tables import AuditHead

DOCUMENT: web.AppKey[bytes] = web.AppKey("openapi", bytes)
"""The API document of this server, printed once."""

routes = Routes("system")


class Health(Shape):
    """Whether the server can serve."""

    status: Literal["ok"]
    version: str
    database: Literal["sqlite", "postgresql"]
    media_port: int
    """0 where live media is on relay workers."""


@routes.get("/healthz", needs=PUBLIC, summary="Whether the server can serve")
async def health(call: Call[Nothing, Nothing, Nothing]) -> Health:
    try:
        async with call.core.store.read() as session:
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError):
        raise Problem("overloaded", headers={"Retry-After": "5"}, facts={"seconds": 5}) from None
    kind: Literal["sqlite", "postgresql"] = "sqlite" if call.core.store.sqlite else "postgresql"
    return Health(
        status="ok", version=VERSION, database=kind, media_port=call.core.relay.port if call.core.member else 0
    )


@routes.get(
    "/metrics", needs=PUBLIC, summary="Figures for Prometheus", produces="text/plain", also={401: "Not from here"}
)
async def metrics(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    """Open to this machine; to others with the bearer token of the settings."""
    token = call.core.settings.metrics_token.get_secret_value()
    given = call.request.headers.get("Authorization", "").removeprefix("Bearer ")
    allowed = hmac.compare_digest(given.encode(), token.encode()) if token else _is_local(call.caller.address)
    if not allowed:
        raise Problem("token_invalid", headers={"WWW-Authenticate": "Bearer"})
    totals = call.core.relay.totals()
    for role, count in (("publisher", totals.publishers), ("subscriber", totals.subscribers)):
        call.core.metrics.sessions.labels(role).set(count)
    async with call.core.store.read() as session:
        call.core.metrics.log_size.set(await session.scalar(select(AuditHead.size)) or 0)
    return web.Response(body=call.core.metrics.text(), content_type="text/plain", charset="utf-8")


@routes.get("/openapi.json", needs=PUBLIC, summary="This document", produces="application/json")
async def openapi(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    return web.Response(body=call.request.app[DOCUMENT], content_type="application/json", charset="utf-8")


@routes.get("/robots.txt", needs=PUBLIC, summary="Nothing here is for search engines", produces="text/plain")
async def robots(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    return web.Response(text="User-agent: *\nDisallow: /\n", content_type="text/plain", charset="utf-8")


@cache
def printed(routes: tuple[Route, ...]) -> bytes:
    """The API document as it goes over the wire; the same for every server of a process."""
    return json.dumps(document(routes, version=VERSION), ensure_ascii=False, separators=(",", ":")).encode()


def _is_local(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
