"""How the system is: version, database, live media, sessions, and the audit log's last checkpoint."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.operators.desk import routes
from api.routing import Call, Nothing
from config import VERSION
from rooms.audit.checkpoints import newest_checkpoint
from rooms.people.sessions import live_sessions
from rooms.rulesets import load_rules
from rooms.store import Store
from rooms.tables import AuditHead, Occurrence


@dataclass(frozen=True, slots=True)
class Storage:
    """The database: its kind, its size in octets where it can be told, and what is free beside it."""

    kind: str
    octets: int
    free: int | None


@routes.get("/operator/system", needs="system.read", summary="The state of the system", page=True)
async def system_page(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    app = call.app
    async with app.store.read() as session:
        storage = await _storage(session, app.store)
        entries = await session.scalar(select(AuditHead.size)) or 0
        checkpoint = await newest_checkpoint(session)
        sessions = await live_sessions(session, app.clock, app.settings)
        live = await session.scalar(select(func.count()).select_from(Occurrence).where(Occurrence.state == "live")) or 0
    return call.page(
        "operator/system.html",
        version=VERSION,
        settings=app.settings,
        storage=storage,
        entries=entries,
        checkpoint=checkpoint,
        public_key=app.checkpointer.key.verifier.text,
        sessions=sessions,
        live=live,
        relay=app.relay.totals(),
        media_port=app.relay.port if app.member is not None else 0,
        workers=app.watch.workers,
        shared=bool(app.settings.redis_url.get_secret_value()),
        rules=load_rules(app.settings.attendance_rules),
        now=app.clock.now(),
    )


async def _storage(session: AsyncSession, store: Store) -> Storage:
    if not store.sqlite:
        octets = await session.scalar(text("SELECT pg_database_size(current_database())")) or 0
        return Storage("PostgreSQL", octets, None)
    pages = await session.scalar(text("PRAGMA page_count")) or 0
    size = await session.scalar(text("PRAGMA page_size")) or 0
    place = store.url.database or "."
    return Storage("SQLite", pages * size, shutil.disk_usage(place).free)
