"""The doors of live media: WHIP in (RFC 9725), WHEP out (draft-ietf-wish-whep), for browsers, OBS and encoders alike.

Authorisation is a join token as bearer, for the room, side, source and role of the request. The address of a session opens
nothing by itself: PATCH and DELETE need the token of the same room, side, source and role.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from aiohttp import web
from pydantic import StringConstraints

from api.join import Join, JoinRole, ice_links, ice_servers
from api.problems import Problem
from api.routing import PUBLIC, Call, HexId, Nothing, Routes, Shape
from media.errors import BadOffer, Full, NoPublisher, NothingInCommon, RelayError, SourceTaken, UnknownSession
from media.events import PeerId, RoomId, SessionId, SourceName
from media.values import Answer, SessionView

routes = Routes("media")

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
Source = Annotated[str, StringConstraints(pattern=r"^(lead|screen|class:[0-9a-f]{32})$")]
Session = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]


class RoomPath(Shape):
    """A source of a live room."""

    room: HexId
    source: Source


class SessionPath(Shape):
    """A WHIP or WHEP session."""

    session: Session


OFFERED = {
    406: "No codec in common",
    409: "Nobody publishes yet (Retry-After), or another peer does",
    415: "Not application/sdp",
    503: "The relay is full (Retry-After)",
}
CHANGED = {
    200: "ICE restarted: the relay's new fragment and ETag",
    412: "If-Match names another ICE generation",
    415: "Not application/trickle-ice-sdpfrag",
    428: "If-Match is missing",
}


@routes.post(
    "/whip/{room}/{source}", needs=PUBLIC, summary="Publish a source (WHIP)",
    bearer=True, status=201, produces=SDP, consumes=(SDP,), also=OFFERED,
)  # fmt: skip
async def publish(call: Call[RoomPath, Nothing, Nothing]) -> web.Response:
    join = await _joining(call, "publish")
    offer = await _text(call.request, SDP)
    with refusals_told():
        answer = await call.app.relay.publish(RoomId(join.room), SourceName(join.source), PeerId(join.side), offer)
    return _created(call, join, answer)


@routes.post(
    "/whep/{room}/{source}", needs=PUBLIC, summary="Receive a source (WHEP)",
    bearer=True, status=201, produces=SDP, consumes=(SDP,), also=OFFERED,
)  # fmt: skip
async def subscribe(call: Call[RoomPath, Nothing, Nothing]) -> web.Response:
    join = await _joining(call, "subscribe")
    offer = await _text(call.request, SDP)
    with refusals_told():
        answer = await call.app.relay.subscribe(RoomId(join.room), SourceName(join.source), PeerId(join.side), offer)
    return _created(call, join, answer)


@routes.add("OPTIONS", "/whip/{room}/{source}", needs=PUBLIC, summary="What WHIP accepts", status=204)
async def whip_options(call: Call[RoomPath, Nothing, Nothing]) -> web.Response:
    return _options()


@routes.add("OPTIONS", "/whep/{room}/{source}", needs=PUBLIC, summary="What WHEP accepts", status=204)
async def whep_options(call: Call[RoomPath, Nothing, Nothing]) -> web.Response:
    return _options()


@routes.add(
    "PATCH", "/media/{session}", needs=PUBLIC, summary="Trickle ICE, or restart it with If-Match: *",
    bearer=True, status=204, consumes=(FRAGMENT,), also=CHANGED,
)  # fmt: skip
async def change(call: Call[SessionPath, Nothing, Nothing]) -> web.Response:
    view = _own_session(call)
    fragment = await _text(call.request, FRAGMENT)
    wanted = call.request.headers.get("If-Match", "").strip()
    if not wanted:
        raise Problem("etag_needed")
    if wanted == "*":
        with refusals_told():
            answer = await call.app.relay.restart_ice(view.session, fragment)
        return web.Response(text=answer.sdp, content_type=FRAGMENT, headers={"ETag": f'"{answer.etag}"'})
    if wanted.removeprefix("W/") != f'"{view.etag}"':
        raise Problem("etag_mismatch")
    with refusals_told():
        await call.app.relay.trickle(view.session, fragment)
    return web.Response(status=204)


@routes.delete("/media/{session}", needs=PUBLIC, summary="End a session", bearer=True, status=200)
async def end(call: Call[SessionPath, Nothing, Nothing]) -> web.Response:
    view = _own_session(call)
    with refusals_told():
        await call.app.relay.close_session(view.session)
    return web.Response(status=200)


async def _joining(call: Call[RoomPath, Nothing, Nothing], role: JoinRole) -> Join:
    join = call.app.joins.bearer(call.request.headers.get("Authorization", ""))
    if (join.room, join.source) != (call.path.room, call.path.source):
        raise Problem("not_found")
    if join.role != role:
        raise Problem("not_allowed")
    await call.app.limits.spend("offer", call.caller, join.side)
    return join


def _own_session(call: Call[SessionPath, Nothing, Nothing]) -> SessionView:
    join = call.app.joins.bearer(call.request.headers.get("Authorization", ""), opened=True)
    with refusals_told():
        view = call.app.relay.session(SessionId(call.path.session))
    role: JoinRole = "publish" if view.role == "publisher" else "subscribe"
    if (join.room, join.side, join.source, join.role) != (view.room, view.peer, view.source, role):
        raise Problem("not_found")
    return view


async def _text(request: web.Request, kind: str) -> str:
    if request.content_type != kind:
        raise Problem("wrong_type", facts={"accepted": kind})
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError:
        raise Problem("bad_offer") from None


def _created(call: Call[Any, Any, Any], join: Join, answer: Answer) -> web.Response:
    response = web.Response(status=201, text=answer.sdp, content_type=SDP)
    response.headers["Location"] = f"/media/{answer.session}"
    response.headers["ETag"] = f'"{answer.etag}"'
    response.headers["Accept-Patch"] = FRAGMENT
    for link in ice_links(ice_servers(call.app.settings, call.app.clock, join.holder)):
        response.headers.add("Link", link)
    return response


def _options() -> web.Response:
    """ICE servers are named to those who hold a token, in the answer to their offer."""
    return web.Response(status=204, headers={"Accept-Post": SDP, "Allow": "POST, OPTIONS"})


@contextmanager
def refusals_told() -> Iterator[None]:
    """The relay's refusals as problems."""
    try:
        yield
    except BadOffer:
        raise Problem("bad_offer") from None
    except NothingInCommon:
        raise Problem("nothing_in_common") from None
    except UnknownSession:
        raise Problem("not_found") from None
    except SourceTaken:
        raise Problem("source_taken") from None
    except (NoPublisher, Full) as error:
        code = "no_publisher" if isinstance(error, NoPublisher) else "overloaded"
        wait = error.retry_after
        raise Problem(code, headers={"Retry-After": str(wait)}, facts={"seconds": wait}) from None
    except RelayError:
        raise Problem("conflict") from None
