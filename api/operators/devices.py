"""Classroom devices: registering them, printing their enrolment codes, revoking them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import segno
from aiohttp import web
from pydantic import Field

from api.operators.desk import SchoolAt, routes, schools_within
from api.routing import Call, Code, Nothing, RowId, Shape
from rooms.people import devices
from rooms.people.devices import Enrolment
from rooms.people.roster import list_devices


class DevicePath(Shape):
    device: RowId


class DeviceForm(SchoolAt):
    """A new classroom device."""

    room: Code | None = None
    name: str = Field(max_length=64)


class EnrolSlip(Shape):
    """What is printed for a device: its code, the address to type it at, and both as a QR code (an SVG data address)."""

    device_id: int
    code: str
    address: str
    qr: str
    expires_at: datetime


@routes.get("/operator/devices", needs="people.read", summary="Classroom devices", page=True)
async def devices_page(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        rows = await list_devices(session, call.principal, call.app.clock.now())
        schools = await schools_within(session, call)
    return call.page("operator/devices.html", rows=rows, schools=schools)


@routes.post("/api/operator/devices", needs="people.change", summary="Register a classroom device", status=201)
async def make_device(call: Call[Nothing, Nothing, DeviceForm]) -> EnrolSlip:
    app, body = call.app, call.body
    made = await devices.create_device(
        app.store, app.clock, call.principal, call.actor, body.county, body.school, body.room, body.name
    )
    return _slip(call, made)


@routes.post("/api/operator/devices/{device}/code", needs="people.change", summary="Print a new enrolment code")
async def renew(call: Call[DevicePath, Nothing, Nothing]) -> EnrolSlip:
    app = call.app
    return _slip(call, await devices.renew_code(app.store, app.clock, call.principal, call.actor, call.path.device))


@routes.post("/api/operator/devices/{device}/revoke", needs="people.change", summary="Revoke a classroom device")
async def revoke(call: Call[DevicePath, Nothing, Nothing]) -> None:
    await devices.revoke_device(call.app.store, call.app.clock, call.principal, call.actor, call.path.device)


def _slip(call: Call[Any, Any, Any], made: Enrolment) -> EnrolSlip:
    base = call.app.settings.public_url.rstrip("/") or str(call.request.url.origin())
    address = f"{base}/enrol"
    picture = segno.make(f"{address}#{made.code}", error="m").svg_data_uri(scale=5, border=2)
    return EnrolSlip(device_id=made.device_id, code=made.code, address=address, qr=picture, expires_at=made.expires_at)
