"""The doors of live media: WHIP in (RFC 9725), WHEP out (draft-ietf-wish-whep), for browsers, OBS and encoders alike.

Authorisation is a join token as bearer, for the room, side, source and role of the request. The address of a session opens
nothing by itself: PATCH and DELETE need the token of the same room, side, source and role. Pages of any origin may ask, because
a cookie means nothing here (RFC 9725 §4.2 wants CORS).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from aiohttp import web
from pydantic import StringConstraints

from api.join import SOURCE, Join, JoinRole, ice_links, ice_servers
from api.problems import Problem
from api.routing import PUBLIC, Call, HexId, Nothing, Routes, Shape
from api.workers import elsewhere
from media.errors import BadOffer, Full, NoFloor, NoPublisher, NothingInCommon, RelayError, SourceTaken, UnknownSession
from media.events import PeerId, RoomId, SessionId, SourceName, is_edge
from media.values import Answer, SessionView

routes = Routes("media")

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
DOORS = ("/whip/", "/whep/", "/media/")
CROSS_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Link, Accept-Patch, Retry-After, WWW-Authenticate",
}
Source = Annotated[str, StringConstraints(pattern=SOURCE)]
Session = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{8,64}$")]


class RoomPath(Shape):
    """A source of a live room."""

    room: HexId
    source: Source


class SessionPath(Shape):
    """A WHIP or WHEP session."""

    session: Session


OFFERED = {
    307: "Another worker has the room: Location",
    403: "The token is for the other direction, or the classroom has not the floor",
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
    if (moved := await _elsewhere(call, RoomId(join.room), None)) is not None:
        return moved
    offer = await _text(call.request, SDP)
    with refusals_told():
        answer = await call.core.relay.publish(
            RoomId(join.room), SourceName(join.source), PeerId(join.side), offer, origin=call.caller.address
        )
    return _created(call, join, answer)


@routes.post(
    "/whep/{room}/{source}", needs=PUBLIC, summary="Receive a source (WHEP)",
    bearer=True, status=201, produces=SDP, consumes=(SDP,), also=OFFERED,
)  # fmt: skip
async def subscribe(call: Call[RoomPath, Nothing, Nothing]) -> web.Response:
    join = await _joining(call, "subscribe")
    room, source, peer = RoomId(join.room), SourceName(join.source), PeerId(join.side)
    if (moved := await _elsewhere(call, room, None if is_edge(peer) else peer)) is not None:
        return moved
    if call.core.cascade is not None and not is_edge(peer):
        with refusals_told():
            await call.core.cascade.ensure(room, source)
    offer = await _text(call.request, SDP)
    with refusals_told():
        answer = await call.core.relay.subscribe(room, source, peer, offer, origin=call.caller.address)
    return _created(call, join, answer)


@routes.add("OPTIONS", "/whip/{room}/{source}", needs=PUBLIC, summary="What WHIP accepts", status=200)
async def whip_options(call: Call[RoomPath, Nothing, Nothing]) -> web.Response:
    """With a join token also the ICE servers, for clients that want them before they make an offer."""
    return _options(call, "POST")


@routes.add("OPTIONS", "/whep/{room}/{source}", needs=PUBLIC, summary="What WHEP accepts", status=200)
async def whep_options(call: Call[RoomPath, Nothing, Nothing]) -> web.Response:
    """With a join token also the ICE servers, for clients that want them before they make an offer."""
    return _options(call, "POST")


@routes.add("OPTIONS", "/media/{session}", needs=PUBLIC, summary="What a session accepts", status=200)
async def session_options(call: Call[SessionPath, Nothing, Nothing]) -> web.Response:
    return _options(call, "PATCH, DELETE")


@routes.add(
    "PATCH", "/media/{session}", needs=PUBLIC, summary="Trickle ICE, or restart it with If-Match: *",
    bearer=True, status=204, consumes=(FRAGMENT,), also=CHANGED,
)  # fmt: skip
async def change(call: Call[SessionPath, Nothing, Nothing]) -> web.Response:
    view = _own_session(call)
    fragment = await _text(call.request, FRAGMENT)
    wanted = ",".join(call.request.headers.getall("If-Match", ())).strip()
    if not wanted:
        raise Problem("etag_needed")
    anyhow = wanted in ("*", '"*"')  # RFC 9725 prints it with quotes, RFC 9110 without
    if not anyhow and f'"{view.etag}"' not in (tag.strip() for tag in wanted.split(",")):
        raise Problem("etag_mismatch")  # strong comparison (RFC 9110 §13.1.1): a weak tag never matches
    with refusals_told():
        door = call.core.relay.restart_ice if anyhow else call.core.relay.trickle
        answer = await door(view.session, fragment)
    if answer is None:
        return web.Response(status=204)
    return web.Response(text=answer.sdp, content_type=FRAGMENT, headers={"ETag": f'"{answer.etag}"'})


@routes.delete("/media/{session}", needs=PUBLIC, summary="End a session", bearer=True, status=200)
async def end(call: Call[SessionPath, Nothing, Nothing]) -> web.Response:
    """Answers once also where the peer said goodbye by DTLS first, or the relay ended the session: no error for a page that leaves."""
    view = _own_session(call, ended=True)
    with refusals_told():
        await call.core.relay.close_session(view.session)
    return web.Response(status=200)


async def _joining(call: Call[RoomPath, Nothing, Nothing], role: JoinRole) -> Join:
    join = _own_join(call, call.request.headers.get("Authorization", ""))
    if join.role != role:
        raise Problem("not_allowed")
    await call.core.limits.spend("offer", call.caller, join.side)
    return join


def _own_join(call: Call[RoomPath, Nothing, Nothing], authorization: str) -> Join:
    join = call.core.joins.bearer(authorization)
    if (join.room, join.source) != (call.path.room, call.path.source):
        raise Problem("not_found")
    return join


def _own_session(call: Call[SessionPath, Nothing, Nothing], *, ended: bool = False) -> SessionView:
    join = call.core.joins.bearer(call.request.headers.get("Authorization", ""), opened=True)
    with refusals_told():
        view = call.core.relay.session(SessionId(call.path.session), ended=ended)
    role: JoinRole = "publish" if view.role == "publisher" else "subscribe"
    if (join.room, join.side, join.source, join.role) != (view.room, view.peer, view.source, role):
        raise Problem("not_found")
    return view


async def _elsewhere(call: Call[Any, Any, Any], room: RoomId, receives: PeerId | None) -> web.Response | None:
    """Where another worker has the room, says where (307): encoders and programs follow with their token, pages need not,
    because their ticket names the worker."""
    worker = await elsewhere(call.core, room, receives)
    return None if worker is None else web.Response(status=307, headers={"Location": worker.url + call.request.path})


async def _text(request: web.Request, kind: str) -> str:
    if request.content_type != kind:
        raise Problem("wrong_type", facts={"accepted": kind})
    try:
        return (await request.read()).decode()
    except UnicodeDecodeError:
        raise Problem("bad_offer") from None


def _created(call: Call[Any, Any, Any], join: Join, answer: Answer) -> web.Response:
    response = web.Response(status=201, text=answer.sdp, content_type=SDP)
    base = call.core.member.url if call.core.member is not None else ""
    response.headers["Location"] = f"{base}/media/{answer.session}"
    response.headers["ETag"] = f'"{answer.etag}"'
    response.headers["Accept-Patch"] = FRAGMENT
    _name_ice_servers(response, call, join)
    return response


def _name_ice_servers(response: web.Response, call: Call[Any, Any, Any], join: Join) -> None:
    for link in ice_links(ice_servers(call.core.settings, call.core.clock, join.holder)):
        response.headers.add("Link", link)


def _options(call: Call[Any, Any, Any], methods: str) -> web.Response:
    response = web.Response(status=200, headers={"Allow": f"{methods}, OPTIONS"})
    if methods == "POST":
        response.headers["Accept-Post"] = SDP
    else:
        response.headers["Accept-Patch"] = FRAGMENT
    if "Access-Control-Request-Method" in call.request.headers:
        response.headers["Access-Control-Allow-Methods"] = methods
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, If-Match"
        response.headers["Access-Control-Max-Age"] = "7200"
    elif methods == "POST" and (authorization := call.request.headers.get("Authorization")):
        _name_ice_servers(response, call, _own_join(call, authorization))
    return response


async def open_to_pages(request: web.Request, response: web.StreamResponse) -> None:
    """Signal ``on_response_prepare``: what a page of another origin may read, refusals too."""
    if request.path.startswith(DOORS):
        response.headers.extend(CROSS_ORIGIN)


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
    except NoFloor:
        raise Problem("no_floor") from None
    except SourceTaken:
        raise Problem("source_taken") from None
    except (NoPublisher, Full) as error:
        code = "no_publisher" if isinstance(error, NoPublisher) else "overloaded"
        wait = error.retry_after
        raise Problem(code, headers={"Retry-After": str(wait)}, facts={"seconds": wait}) from None
    except RelayError:
        raise Problem("conflict") from None
