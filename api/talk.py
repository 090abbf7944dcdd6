"""The line of a live class: one page's WebSocket, from the welcome to the end (docs/LIVE_PROTOCOL.md)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import structlog
from aiohttp import WSMsgType, web
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from api.figures import stamp
from api.hall import LiveRoom, Seat
from api.live import OccurrencePath, own_side, side_of
from api.messages import INCOMING, Beat, Choose, Devices, Floor, Hand, Lower, Notice, Stats
from api.problems import Problem
from api.refused import problem_of
from api.routing import SIGNED_IN, Call, Nothing, Routes
from api.stage import OVER
from config.words import Language
from media.events import PeerId, RoomId
from media.orders import ChooseRung, EndPeer
from rooms.people.sessions import principal_of
from rooms.planning.occurrences import SideView, occurrence
from rooms.refusals import Refusal

PROTOCOL = 1
LARGEST_MESSAGE = 8192
"""Octets of one message from a page."""
SILENCE_SECONDS = 20.0
"""A page beats every 5 s; a line that is silent this long is closed."""
MOST_PER_SECOND = 10
"""Messages of one page; more are refused."""
KEEP_STATS_SECONDS = 60.0
"""A page's own figures are kept this often."""
STILL_SECONDS = 60.0
"""How often a line is asked whether it may still be there: within it, whoever was put out of use or replaced is out of the class."""

log = structlog.get_logger("live")

routes = Routes("live")


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
            await socket.send_json({"type": "bye", **_told(problem_of(refusal), call.caller.language)})
            await socket.close()
            return socket
        async with call.app.hall.seat(view.id, side.id, leads=side.side == "lead") as (room, seat):
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
        talks = [asyncio.create_task(each) for each in (self._pump(), self._listen(), self._stay())]
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

    async def _stay(self) -> None:
        """An open line is use of its session, and lasts no longer than it; nor than the side is this person's. Its media ends with it."""
        while True:
            await asyncio.sleep(STILL_SECONDS)
            try:
                problem = await self._out()
            except (SQLAlchemyError, OSError):  # nobody knows at the moment, and what runs goes on
                log.exception("line_not_checked", room=self.room.id)
                continue
            if problem is not None:
                await self.call.app.media.order(EndPeer(RoomId(self.room.id), PeerId(self.side.id)))
                await self.socket.send_json({"type": "bye", **_told(problem, self.call.caller.language)})
                return

    async def _out(self) -> Problem | None:
        """Why this line may be no more, where it may not. A page that was left open after its lesson is no use of anything."""
        app = self.call.app
        async with app.store.read() as session:
            lesson = await occurrence(session, self.room.id)
        if lesson is None or lesson.state in OVER:
            return None
        principal = await principal_of(app.store, app.clock, app.settings, self.call.caller.token)
        if principal is None:
            return Problem("sign_in_needed")
        side = own_side(principal, lesson)
        return None if side is not None and side.id == self.side.id else Problem("not_found")

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
            case Choose() if not leads:
                order = ChooseRung(RoomId(self.room.id), PeerId(self.side.id), message.rung)
                await self.call.app.media.order(order)
            case Notice() if leads:
                await self._publish({"type": "notice", "text": message.text, "at": stamp(self.call.app.clock.now())})
            case Stats():
                await self._tell_seen(message)
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

    async def _tell_seen(self, stats: Stats) -> None:
        """What the page saw, for whoever looks at the class now."""
        if (got := stats.received) is not None:
            figures = {"freezes": got.freezes, "freeze_seconds": got.freezeSeconds, "height": got.height}
            await self._publish({"type": "seen", "side": self.side.id, **figures})

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


def _told(problem: Problem, language: Language) -> dict[str, Any]:
    body = problem.body(language)
    return {"code": body.code, "words": body.detail, "facts": body.facts}
