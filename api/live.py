"""The JSON doors of a live class (docs/LIVE_PROTOCOL.md); its WebSocket is in `api.talk`.

Everything here belongs to one side of one lesson: the lead teacher's account, a community member's account, or the device in
the receiving room. To everybody else the lesson does not exist.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from api.join import SOURCE, Join, ice_servers
from api.problems import Problem
from api.routing import SIGNED_IN, Call, HexId, Nothing, Routes, RowId, Shape
from api.workers import worker_for
from media.events import PeerId, RoomId
from rooms.encoders.uses import used_by
from rooms.live.board import LateItem
from rooms.live.sources import LEAD, LEADS, Direction, exists, permitted
from rooms.live.state import LiveState
from rooms.people import Principal
from rooms.planning.occurrences import OccurrenceView, SideView, occurrence
from rooms.refusals import Conflict

routes = Routes("live")


class OccurrencePath(Shape):
    occurrence: HexId


class Wanted(Shape):
    """Which source, and in which direction; without either the lead's, sent by the lead and received by the others."""

    source: Annotated[str, StringConstraints(pattern=SOURCE)] = LEAD
    role: Literal["publish", "subscribe"] | None = None


class Ticket(Shape):
    """Where to knock with the WebRTC offer, and the join token to show there. `role` is ``publish`` or ``subscribe``.

    `ice_servers` is a list of RTCIceServer; empty where the county runs no TURN server.
    """

    side: str
    role: Literal["publish", "subscribe"]
    url: str
    token: str
    ice_servers: list[dict[str, str]]


class Now(Shape):
    """The class now: the `state` of docs/LIVE_PROTOCOL.md."""

    state: dict[str, Any]


class SelfTest(Shape):
    """What a person saw and heard, and what the page measured: median answer time, and lost answers out of those asked."""

    picture: bool
    sound: bool
    round_trip_ms: int | None = Field(default=None, ge=0, le=60_000)
    lost: int = Field(default=0, ge=0, le=100)
    asked: int = Field(default=0, ge=0, le=100)


class SignIn(Shape):
    assistant: RowId
    pin: Annotated[str, StringConstraints(pattern=r"^\d{4,12}$")]


class HeadCount(Shape):
    present: int = Field(ge=0, le=2000)


class LatePiece(Shape):
    """Evidence a classroom kept while its line was down; `at` by the server's clock as far as the page knew it.

    `data` is ``{"present": n}`` of a head-count, or the fields of a self-test. A sign-in is none: its PIN is checked here.
    """

    event_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{8,40}$")]
    kind: Literal["head_count", "self_test"]
    at: AwareDatetime
    data: dict[str, int | bool | None] = Field(max_length=8)


class Late(Shape):
    items: Annotated[list[LatePiece], Field(min_length=1, max_length=100)]


class Taken(Shape):
    """How many pieces were new."""

    new: int


# ---------------------------------------------------------------- whose side


def own_side(principal: Principal, view: OccurrenceView) -> SideView | None:
    """The side of a lesson this caller stands on: by the teacher of an account that may teach, or by the room of the device."""
    if principal.kind == "device" and principal.room is not None:
        county, school, room = principal.room
        return next(
            (
                side
                for side in view.sides
                if view.county == county
                and side.side != "lead"
                and side.school_code == school
                and room in (None, side.room_code)
            ),
            None,
        )
    if principal.teacher is None or principal.teacher[0] != view.county or not principal.may("lesson.teach"):
        return None
    code = principal.teacher[1]
    return next((side for side in view.sides if side.teacher_code == code and side.side in ("lead", "member")), None)


async def side_of(call: Call[Any, Any, Any], occurrence_id: str) -> tuple[OccurrenceView, SideView]:
    """The lesson and the caller's side of it; 404 where there is none."""
    async with call.app.store.read() as session:
        view = await occurrence(session, occurrence_id)
    side = own_side(call.principal, view) if view is not None else None
    if view is None or side is None:
        raise Problem("not_found")
    return view, side


async def lead_of(call: Call[Any, Any, Any], occurrence_id: str) -> OccurrenceView:
    """The lesson, where the caller leads it; to a receiver 403, to others 404."""
    view, side = await side_of(call, occurrence_id)
    if side.side != "lead":
        raise Problem("not_allowed")
    return view


# ---------------------------------------------------------------- the JSON doors


@routes.get("/api/live/{occurrence}", needs=SIGNED_IN, summary="The class now, for one of its sides")
async def now(call: Call[OccurrencePath, Nothing, Nothing]) -> Now:
    view, _ = await side_of(call, call.path.occurrence)
    state = await call.app.board.state(view.id)
    if state is None:
        raise Problem("not_found")
    return presented(state)


@routes.post("/api/live/{occurrence}/join", needs=SIGNED_IN, summary="A join token for a source", limit="offer")
async def join(call: Call[OccurrencePath, Nothing, Wanted]) -> Ticket:
    view, side = await side_of(call, call.path.occurrence)
    source = call.body.source
    role: Direction = call.body.role or ("publish" if side.side == "lead" else "subscribe")
    if not exists(view.sides, source):
        raise Problem("not_found")
    board = call.app.board
    state = await (board.enter(call.actor, side.id) if source == LEAD else board.running(view.id))
    by_encoder = side.side == "lead" and source == LEAD and await encoder_sends(call, view.id)
    if by_encoder and role == "publish":
        raise Conflict("encoder_sends")  # the page would push it off
    if not by_encoder and not permitted(side, source, role, state.floor):
        raise Problem("not_allowed" if role == "publish" or source in LEADS else "no_floor")
    token = call.app.joins.issue(Join(room=view.id, side=side.id, source=source, role=role, holder=call.actor.name))
    receives = PeerId(side.id) if role == "subscribe" and side.side != "lead" else None
    worker = await worker_for(call.app, RoomId(view.id), receives)
    door = "whip" if role == "publish" else "whep"
    servers = ice_servers(call.app.settings, call.app.clock, call.actor.name)
    return Ticket(
        side=side.id, role=role, url=f"{worker.url}/{door}/{view.id}/{source}", token=token, ice_servers=servers
    )


@routes.post("/api/live/{occurrence}/open", needs="lesson.teach", summary="Start the class")
async def open_class(call: Call[OccurrencePath, Nothing, Nothing]) -> Now:
    view = await lead_of(call, call.path.occurrence)
    return presented(await call.app.board.open_class(call.actor, view.id))


@routes.post("/api/live/{occurrence}/close", needs="lesson.teach", summary="End the class; it is judged at once")
async def close_class(call: Call[OccurrencePath, Nothing, Nothing]) -> Now:
    view = await lead_of(call, call.path.occurrence)
    state = await call.app.board.close_class(call.actor, view.id)
    call.app.encoders.wake()
    return presented(state)


@routes.post("/api/live/{occurrence}/self-test", needs=SIGNED_IN, summary="Store the result of a self-test")
async def self_test(call: Call[OccurrencePath, Nothing, SelfTest]) -> Now:
    _, side = await side_of(call, call.path.occurrence)
    return presented(await call.app.board.self_test(call.actor, side.id, call.body.model_dump()))


@routes.post(
    "/api/live/{occurrence}/sign-in", needs="lesson.join", summary="The assistant signs in by PIN", limit="pin"
)
async def sign_in(call: Call[OccurrencePath, Nothing, SignIn]) -> Now:
    _, side = await side_of(call, call.path.occurrence)
    return presented(await call.app.board.sign_in(call.actor, side.id, call.body.assistant, call.body.pin))


@routes.post("/api/live/{occurrence}/sign-out", needs="lesson.join", summary="The assistant signs out")
async def sign_out(call: Call[OccurrencePath, Nothing, Nothing]) -> Now:
    _, side = await side_of(call, call.path.occurrence)
    return presented(await call.app.board.sign_out(call.actor, side.id))


@routes.post("/api/live/{occurrence}/head-count", needs="lesson.join", summary="Enter how many pupils are there")
async def head_count(call: Call[OccurrencePath, Nothing, HeadCount]) -> Now:
    _, side = await side_of(call, call.path.occurrence)
    return presented(await call.app.board.head_count(call.actor, side.id, call.body.present))


@routes.post(
    "/api/live/{occurrence}/late", needs="lesson.join", summary="Hand in what was kept while the line was down"
)
async def hand_in(call: Call[OccurrencePath, Nothing, Late]) -> Taken:
    _, side = await side_of(call, call.path.occurrence)
    items = [LateItem(piece.event_id, piece.kind, piece.at, dict(piece.data)) for piece in call.body.items]
    return Taken(new=await call.app.board.hand_in(call.actor, side.id, items))


async def encoder_sends(call: Call[Any, Any, Any], occurrence_id: str) -> bool:
    """Whether the lesson is led from a recording room's encoder; then its page receives what it would send."""
    async with call.app.store.read() as session:
        return await used_by(session, occurrence_id) is not None


def presented(state: LiveState) -> Now:
    """The state as the WebSocket sends it, but for hands, devices and open pages, which only the room knows."""
    message = state.message()
    return Now(
        state={**message, "sides": [{**side, "here": None, "hand": None, "devices": None} for side in message["sides"]]}
    )
