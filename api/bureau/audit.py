"""The audit log as an auditor reads it: the newest entries, the checkpoint, and the whole log in one file to check elsewhere."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import Field
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.bureau.desk import CountyPath, head_of, routes, show, time_of_day
from api.routing import Call, Nothing, Shape, Text
from config.words import catalogue
from rooms.audit import verifier
from rooms.audit.bundle import export_bundle
from rooms.audit.checkpoints import newest_checkpoint, sign_checkpoint
from rooms.refusals import NotFound
from rooms.tables import Account, AuditHead, AuditLeaf, Device

PAGE = 60
CHUNK = 1 << 16
BINARY = "application/octet-stream"


class EntryQuery(Shape):
    """Which entries: of one action, of one actor (a login, or a device's number), older than an entry."""

    action: Text = ""
    actor: Text = ""
    before: int | None = Field(default=None, ge=0, le=2**53)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the log to show. `who` is the person's or device's name where it is known, `facts` what was recorded."""

    index: int
    at: datetime
    actor: str
    who: str
    role: str
    action: str
    object: str
    result: str
    facts: dict[str, Any]
    leaf_hash: str


@routes.get("/bureau/{county}/audit", needs="audit.read", summary="The audit log of a county", page=True)
async def audit_page(call: Call[CountyPath, EntryQuery, Nothing]) -> web.Response:
    asked = call.query
    async with call.app.store.read() as session:
        head = await head_of(session, call)
        found = await entries_of(session, _wanted(call.path.county, asked), PAGE + 1)
        actions = await session.scalars(
            select(AuditLeaf.action).where(AuditLeaf.county == call.path.county).distinct().order_by(AuditLeaf.action)
        )
        view: dict[str, Any] = {
            "entries": found[:PAGE],
            "older": found[PAGE - 1].index if len(found) > PAGE else None,
            "actions": list(actions),
            "asked": asked,
            "checkpoint": await newest_checkpoint(session),
            "size": await session.scalar(select(AuditHead.size)) or 0,
            "public_key": call.app.checkpointer.key.verifier.text,
            "seconds": call.app.settings.checkpoint_seconds,
            "clock": time_of_day,
            "known_actions": {
                key.removeprefix("audit.action_") for key in catalogue("zh_CN") if "audit.action_" in key
            },
        }
    return show(call, "audit", head, view)


def known_actions() -> frozenset[str]:
    """The actions for which there are words, with underscores for dots."""
    return frozenset(key.removeprefix("audit.action_") for key in catalogue("zh_CN") if key.startswith("audit.action_"))


def _wanted(county: str, asked: EntryQuery) -> ColumnElement[bool]:
    wanted = AuditLeaf.county == county
    if asked.action:
        wanted &= AuditLeaf.action == asked.action
    if asked.actor:
        wanted &= AuditLeaf.actor.contains(asked.actor, autoescape=True)
    if asked.before is not None:
        wanted &= AuditLeaf.index < asked.before
    return wanted


async def entries_of(session: AsyncSession, wanted: ColumnElement[bool], most: int) -> list[Entry]:
    """Entries, the newest first, with the names of who acted."""
    rows = (await session.scalars(select(AuditLeaf).where(wanted).order_by(AuditLeaf.index.desc()).limit(most))).all()
    names = await _names(session, [row.actor for row in rows])
    return [_entry(row, names.get(row.actor, "")) for row in rows]


def _entry(row: AuditLeaf, who: str) -> Entry:
    said = json.loads(row.canonical)
    return Entry(
        index=row.index,
        at=row.at,
        actor=row.actor,
        who=who,
        role=row.role,
        action=row.action,
        object=row.object,
        result=said["result"],
        facts=said["facts"],
        leaf_hash=row.leaf_hash.hex(),
    )


async def _names(session: AsyncSession, actors: Sequence[str]) -> dict[str, str]:
    logins = {actor.removeprefix("account:") for actor in actors if actor.startswith("account:")}
    numbers = {int(actor.removeprefix("device:")) for actor in actors if actor.startswith("device:")}
    people = await session.execute(select(Account.login, Account.name).where(Account.login.in_(logins)))
    devices = await session.execute(select(Device.id, Device.name).where(Device.id.in_(numbers)))
    found = {f"account:{login}": name for login, name in people.all()}
    return found | {f"device:{number}": name for number, name in devices.all()}


@routes.post(
    "/bureau/{county}/audit/bundle", needs="audit.read", summary="The audit log in one file", produces=BINARY,
    limit="export",
)  # fmt: skip
async def bundle(call: Call[CountyPath, Nothing, Nothing]) -> web.StreamResponse:
    """The county's entries in full, all others as hashes: enough to check the whole log."""
    app, county = call.app, call.path.county
    with tempfile.TemporaryDirectory(prefix="sanke-audit-", dir=app.settings.data_dir) as folder:
        path = Path(folder) / "bundle"
        exported = await export_bundle(app.store, app.clock, call.actor, app.checkpointer.key, path, county=county)
        day = f"{app.clock.now():%Y%m%d}"
        response = _attachment(f"{county}-{day}-{exported.size}.sanke-audit")
        await response.prepare(call.request)
        with await asyncio.to_thread(path.open, "rb") as stream:
            while chunk := await asyncio.to_thread(stream.read, CHUNK):
                await response.write(chunk)
    await response.write_eof()
    return response


@routes.get(
    "/bureau/{county}/audit/checkpoint", needs="audit.read", summary="The newest checkpoint, to keep outside the county",
    produces="text/plain",
)  # fmt: skip
async def checkpoint(call: Call[CountyPath, Nothing, Nothing]) -> web.Response:
    app = call.app
    signed = await sign_checkpoint(app.store, app.clock, app.checkpointer.key)
    if signed is None:
        raise NotFound
    return _file(signed.note, f"{call.path.county}-{signed.size}.checkpoint.txt")


@routes.get("/bureau/{county}/audit/key", needs="audit.read", summary="The log's public key", produces="text/plain")
async def key(call: Call[CountyPath, Nothing, Nothing]) -> web.Response:
    return _file(call.app.checkpointer.key.verifier.text + "\n", "sanke-audit.key.txt")


@routes.get(
    "/bureau/{county}/audit/verifier", needs="audit.read", summary="The program that checks a bundle, in one file",
    produces="text/plain",
)  # fmt: skip
async def program(call: Call[CountyPath, Nothing, Nothing]) -> web.Response:
    return _file(await asyncio.to_thread(Path(verifier.__file__).read_text, "utf-8"), "verifier.py")


def _file(text: str, name: str) -> web.Response:
    headers = {"Content-Disposition": f'attachment; filename="{_plain(name)}"'}
    return web.Response(text=text, content_type="text/plain", charset="utf-8", headers=headers)


def _attachment(name: str) -> web.StreamResponse:
    headers = {"Content-Type": BINARY, "Content-Disposition": f'attachment; filename="{_plain(name)}"'}
    return web.StreamResponse(headers=headers)


def _plain(name: str) -> str:
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
