"""The live class on the wire: the WebSocket of docs/LIVE_PROTOCOL.md and the JSON doors beside it.

Everything here belongs to one side of one lesson: the lead teacher's account, a community member's account, or the device in
the receiving room. To everybody else the lesson does not exist.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Annotated, Any, Literal

from aiohttp import WSMsgType, web
from pydantic import AwareDatetime, Field, StringConstraints, TypeAdapter, ValidationError

from api.hall import LiveRoom, Seat, stamp
from api.join import SOURCE, Join, ice_servers
from api.problems import Problem
from api.refused import problem_of
from api.routing import SIGNED_IN, Call, HexId, Nothing, Routes, RowId, Shape
from config.words import Language
from media.events import RoomId
from media.orders import CloseRoom
from rooms.live.board import LateItem
from rooms.live.sources import LEAD, LEADS, Direction, exists, permitted
from rooms.live.state import LiveState
from rooms.people import Principal
from rooms.planning.occurrences import OccurrenceView, SideView, occurrence
from rooms.refusals import Refusal

PROTOCOL = 1
LARGEST_MESSAGE = 8192
"""Octets of one message from a page."""
SILENCE_SECONDS = 20.0
"""A page beats every 5 s; a line that is silent this long is closed."""
MOST_PER_SECOND = 10
KEEP_STATS_SECONDS = 60.0
"""A page's own figures are kept this often."""

routes = Routes("live")
Signal = Annotated[int, Field(ge=0, le=100_000_000)]


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
    """The side of a lesson this caller stands on: by the teacher of the account, or by the room of the device."""
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
    if principal.teacher is None or principal.teacher[0] != view.county:
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
    state = await call.app.board.enter(call.actor, side.id)
    if not permitted(side, source, role, state.floor):
        raise Problem("not_allowed" if role == "publish" or source in LEADS else "no_floor")
    token = call.app.joins.issue(Join(room=view.id, side=side.id, source=source, role=role, holder=call.actor.name))
    door = "whip" if role == "publish" else "whep"
    servers = ice_servers(call.app.settings, call.app.clock, call.actor.name)
    return Ticket(side=side.id, role=role, url=f"/{door}/{view.id}/{source}", token=token, ice_servers=servers)


@routes.post("/api/live/{occurrence}/open", needs="lesson.teach", summary="Start the class")
async def open_class(call: Call[OccurrencePath, Nothing, Nothing]) -> Now:
    view = await lead_of(call, call.path.occurrence)
    return presented(await call.app.board.open_class(call.actor, view.id))


@routes.post("/api/live/{occurrence}/close", needs="lesson.teach", summary="End the class; it is judged at once")
async def close_class(call: Call[OccurrencePath, Nothing, Nothing]) -> Now:
    view = await lead_of(call, call.path.occurrence)
    state = await call.app.board.close_class(call.actor, view.id)
    await call.app.media.order(CloseRoom(RoomId(view.id)))
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


def presented(state: LiveState) -> Now:
    """The state as the WebSocket sends it, but for hands, devices and open pages, which only the room knows."""
    message = state.message()
    return Now(
        state={**message, "sides": [{**side, "here": None, "hand": None, "devices": None} for side in message["sides"]]}
    )


# ---------------------------------------------------------------- the WebSocket


class Beat(Shape):
    type: Literal["beat"]
    sent: float = Field(ge=0)


class Hand(Shape):
    type: Literal["hand"]
    up: bool


class Lower(Shape):
    type: Literal["lower"]
    side: HexId


class Floor(Shape):
    type: Literal["floor"]
    side: HexId | None
    """Who may speak to all; null: nobody but the lead."""


class Devices(Shape):
    """What the classroom's page has: null where there is none, or it was not allowed; false where it was switched off by hand."""

    type: Literal["devices"]
    camera: bool | None
    microphone: bool | None


class Notice(Shape):
    type: Literal["notice"]
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class Received(Shape):
    """What the page's receiver counted since its session began."""

    framesDecoded: Signal
    framesDropped: Signal = 0
    freezes: Signal = 0
    freezeSeconds: float = Field(default=0, ge=0)
    packetsLost: int = Field(default=0, ge=-1000, le=100_000_000)
    audioEnergy: float = Field(default=0, ge=0)
    height: Signal = 0
    jitterMs: float = Field(default=0, ge=0)
    roundTripMs: float | None = Field(default=None, ge=0)


class Sent(Shape):
    """What the page's sender counted since its session began."""

    framesEncoded: Signal
    bytesSent: int = Field(default=0, ge=0)
    height: Signal = 0
    limitedBy: Annotated[str, StringConstraints(max_length=20)] = "none"
    roundTripMs: float | None = Field(default=None, ge=0)


class Stats(Shape):
    type: Literal["stats"]
    received: Received | None = None
    sent: Sent | None = None
    sessions: Signal = 0
    restarts: Signal = 0


Message = Beat | Hand | Lower | Floor | Devices | Notice | Stats
INCOMING: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="type")])


@routes.get(
    "/live/{occurrence}",
    needs=SIGNED_IN,
    summary="WebSocket of a class (docs/LIVE_PROTOCOL.md)",
    status=101,
    also={400: "No WebSocket was asked for."},
)
async def live(call: Call[OccurrencePath, Nothing, Nothing]) -> web.StreamResponse:
    view, side = await side_of(call, call.path.occurrence)
    socket = web.WebSocketResponse(max_msg_size=LARGEST_MESSAGE, timeout=5)
    if not socket.can_prepare(call.request):
        raise Problem("bad_request")
    await socket.prepare(call.request)
    with contextlib.suppress(ConnectionResetError):  # the page left while it was spoken to
        try:
            await call.app.board.enter(call.actor, side.id)
        except Refusal as refusal:
            await socket.send_json({"type": "bye", **_told(refusal, call.caller.language)})
            await socket.close()
            return socket
        async with call.app.hall.seat(view.id, side.id) as (room, seat):
            await Conversation(call, socket, room, seat, side).hold()
    return socket


class Conversation:
    """One page's line, from the welcome to the end."""

    def __init__(
        self, call: Call[Any, Any, Any], socket: web.WebSocketResponse, room: LiveRoom, seat: Seat, side: SideView
    ) -> None:
        self.call, self.socket, self.room, self.seat, self.side = call, socket, room, seat, side
        self._spent: tuple[int, int] = (0, 0)
        self._kept: float | None = None

    async def hold(self) -> None:
        """Talks until either end leaves, or the room is closed."""
        assert self.room.task is not None
        await self.socket.send_json(
            {
                **self.room.snapshot(),
                "type": "welcome",
                "protocol": PROTOCOL,
                "side": self.side.id,
                "role": self.side.side,
            }
        )
        talks = [asyncio.create_task(self._pump()), asyncio.create_task(self._listen())]
        try:
            await asyncio.wait({*talks, self.room.task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in talks:
                task.cancel()
            ended = await asyncio.gather(*talks, return_exceptions=True)
            await self.socket.close()
        for result in ended:
            if isinstance(result, Exception) and not isinstance(result, TimeoutError | ConnectionResetError):
                raise result

    async def _pump(self) -> None:
        while True:
            await self.seat.changed.wait()
            for message in self.seat.take():
                await self.socket.send_str(json.dumps(message, ensure_ascii=False))

    async def _listen(self) -> None:
        while True:
            message = await self.socket.receive(SILENCE_SECONDS)
            if message.type is WSMsgType.TEXT:
                await self._hear(message.data)
            elif message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return

    async def _hear(self, text: str) -> None:
        """One message from the page; what it may not say is answered with an error and changes nothing."""
        if self._too_many():
            return await self._error(Problem("too_many_requests", facts={"seconds": 1}))
        try:
            message = INCOMING.validate_json(text)
        except ValidationError:
            return await self._error(Problem("bad_request"))
        leads = self.side.side == "lead"
        match message:
            case Beat():
                answer = {"type": "beat", "sent": message.sent, "now": stamp(self.call.app.clock.now())}
                await self.socket.send_json(answer)
            case Hand() if not leads:
                self.seat.hand = stamp(self.call.app.clock.now()) if message.up else None
                await self.room.announce()
            case Lower() if leads or message.side == self.side.id:
                await self._publish({"type": "lower", "side": message.side})
            case Floor() if leads or message.side is None:
                await self._pass_floor(message.side, leads=leads)
            case Devices() if not leads:
                self.seat.devices = message.model_dump(exclude={"type"})
                await self.room.announce()
            case Notice() if leads:
                await self._publish({"type": "notice", "text": message.text, "at": stamp(self.call.app.clock.now())})
            case Stats():
                self._keep(message)
            case _:
                await self._error(Problem("not_allowed"))
        return None

    async def _pass_floor(self, side: str | None, *, leads: bool) -> None:
        """The lead gives and takes the floor, a side that has it hands it back; whoever gets it, has its hand lowered."""
        board = self.call.app.board
        try:
            if not leads:
                state = await board.state(self.room.id)
                if state is None or state.floor != self.side.id:
                    return await self._error(Problem("no_floor"))
            await board.give_floor(self.call.actor, self.room.id, side)
        except Refusal as refusal:
            return await self._error(problem_of(refusal))
        if side is not None:
            await self._publish({"type": "lower", "side": side})
        return None

    async def _publish(self, message: dict[str, Any]) -> None:
        await self.call.app.bus.publish(self.room.topic, message)

    def _keep(self, stats: Stats) -> None:
        """The page's own figures: kept as corroboration, at most once a minute."""
        now = self.call.app.clock.monotonic()
        if self._kept is not None and now - self._kept < KEEP_STATS_SECONDS:
            return
        self._kept = now
        data = stats.model_dump(exclude={"type"}, exclude_none=True)
        self.call.app.board.page_stats(self.call.actor, self.room.id, self.side.id, data)

    def _too_many(self) -> bool:
        second = int(self.call.app.clock.monotonic())
        counted = self._spent[1] + 1 if self._spent[0] == second else 1
        self._spent = (second, counted)
        return counted > MOST_PER_SECOND

    async def _error(self, problem: Problem) -> None:
        body = problem.body(self.call.caller.language)
        await self.socket.send_json({"type": "error", "code": body.code, "words": body.detail})


def _told(refusal: Refusal, language: Language) -> dict[str, Any]:
    body = problem_of(refusal).body(language)
    return {"code": body.code, "words": body.detail, "facts": body.facts}
