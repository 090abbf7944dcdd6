"""Encoders of recording rooms: registering them, trying them, putting them out of use."""

from __future__ import annotations

from typing import Any, Literal

from aiohttp import web
from pydantic import Field
from yarl import URL

from api.operators.desk import SchoolAt, routes, schools_within
from api.routing import Call, Code, Nothing, RowId, Shape
from config.words import say
from media.encoders.values import EncoderRefused
from rooms.encoders import registry
from rooms.encoders.registry import NewEncoder, Registered, list_encoders

PROBE_SECONDS = 25.0


class EncoderPath(Shape):
    encoder: RowId


class EncoderForm(SchoolAt):
    """A new encoder. `url` is for RTSP: the whole address, with name and password where the encoder wants them."""

    room: Code
    name: str = Field(max_length=64)
    kind: Literal["rtsp", "rtmp"]
    url: str = Field(default="", max_length=500)


class EncoderChange(Shape):
    """Another name, and another address where one is given."""

    name: str = Field(max_length=64)
    url: str = Field(default="", max_length=500)


class PushSlip(Shape):
    """What is typed into an encoder that pushes; the key is shown once. Both are empty for one that is pulled from."""

    encoder_id: int
    server: str
    key: str


class Tried(Shape):
    """What a try found: codecs, size and sound, or why not, in words."""

    works: bool
    reason: str | None
    words: str
    hint: str


@routes.get("/operator/encoders", needs="people.read", summary="Encoders of recording rooms", page=True)
async def encoders_page(call: Call[Nothing, Nothing, Nothing]) -> web.Response:
    async with call.app.store.read() as session:
        rows = await list_encoders(session, call.principal)
        schools = await schools_within(session, call)
    gear = call.app.encoders.gear
    return call.page(
        "operator/encoders.html", rows=rows, schools=schools, pulls=gear.offers("rtsp"), pushes=gear.offers("rtmp")
    )


@routes.post("/api/operator/encoders", needs="people.change", summary="Register an encoder", status=201)
async def register(call: Call[Nothing, Nothing, EncoderForm]) -> PushSlip:
    app, body = call.app, call.body
    new = NewEncoder(body.county, body.school, body.room, body.name, body.kind, body.url)
    made = await registry.register(app.store, app.clock, app.encoders.gear, call.principal, call.actor, new)
    return _slip(call, made)


@routes.post("/api/operator/encoders/{encoder}/change", needs="people.change", summary="Change an encoder")
async def change(call: Call[EncoderPath, Nothing, EncoderChange]) -> None:
    app, body = call.app, call.body
    await registry.change(
        app.store, app.clock, app.encoders.gear, call.principal, call.actor, call.path.encoder, body.name, body.url
    )


@routes.post("/api/operator/encoders/{encoder}/key", needs="people.change", summary="Give an encoder a new stream key")
async def renew(call: Call[EncoderPath, Nothing, Nothing]) -> PushSlip:
    app = call.app
    return _slip(call, await registry.renew_key(app.store, app.clock, call.principal, call.actor, call.path.encoder))


@routes.post(
    "/api/operator/encoders/{encoder}/try", needs="people.change", summary="Try an encoder", limit="try_encoder"
)
async def try_it(call: Call[EncoderPath, Nothing, Nothing]) -> Tried:
    app, language = call.app, call.caller.language
    try:
        found = await registry.found_at(
            app.store, app.bus, app.encoders.gear, call.principal, call.path.encoder, PROBE_SECONDS
        )
    except EncoderRefused as refused:
        words, hint = (say(language, f"encoder.{kind}_{refused.reason}") for kind in ("reason", "hint"))
        return Tried(works=False, reason=refused.reason, words=words, hint=hint)
    sound = (
        say(language, "encoder.sound", codec=found.sound.upper(), rate=found.sample_rate // 1000) if found.sound else ""
    )
    facts = {"codec": found.picture.upper(), "profile": found.profile, "width": found.width, "height": found.height}
    hint = "" if found.sound else say(language, "encoder.no_sound")
    return Tried(works=True, reason=None, words=say(language, "encoder.picture", **facts) + sound, hint=hint)


@routes.post("/api/operator/encoders/{encoder}/disable", needs="people.change", summary="Put an encoder out of use")
async def disable(call: Call[EncoderPath, Nothing, Nothing]) -> None:
    await registry.set_enabled(call.app.store, call.app.clock, call.principal, call.actor, call.path.encoder, False)


@routes.post("/api/operator/encoders/{encoder}/enable", needs="people.change", summary="Put an encoder back into use")
async def enable(call: Call[EncoderPath, Nothing, Nothing]) -> None:
    await registry.set_enabled(call.app.store, call.app.clock, call.principal, call.actor, call.path.encoder, True)


@routes.post("/api/operator/encoders/{encoder}/delete", needs="people.change", summary="Forget an encoder")
async def delete(call: Call[EncoderPath, Nothing, Nothing]) -> None:
    await registry.delete(call.app.store, call.app.clock, call.principal, call.actor, call.path.encoder)


def _slip(call: Call[Any, Any, Any], made: Registered) -> PushSlip:
    if not made.key:
        return PushSlip(encoder_id=made.encoder_id, server="", key="")
    return PushSlip(encoder_id=made.encoder_id, server=call.app.encoders.gear.push_url or _here(call), key=made.key)


def _here(call: Call[Any, Any, Any]) -> str:
    """This server's own RTMP port, at the name that people know it by."""
    host = URL(call.app.settings.public_url).host or call.request.url.host or ""
    return f"rtmp://{host}:{call.app.settings.media_rtmp_port}/live"
