"""The live class on the wire: who gets in, what everybody sees, what is refused (docs/LIVE_PROTOCOL.md)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from api_world import PIN, Site
from sqlalchemy import select, update
from waiting import SOON, until

from api import talk
from media.events import PeerId, RoomId
from media.orders import EndPeer, Order
from rooms.people.passwords import digest
from rooms.tables import AccountRole, EvidenceEvent, Occurrence, OccurrenceSide, Session

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For what the line says and does; the acts that are stored are tried on both."""
Json = dict[str, Any]
Line = aiohttp.ClientWebSocketResponse


@asynccontextmanager
async def line(site: Site, role: str) -> AsyncIterator[tuple[Line, Json]]:
    """The WebSocket of a role's side, and the welcome."""
    async with (
        site.client(site.as_(role)) as client,
        client.ws_connect(f"/live/{site.world.here.occurrence}") as socket,
    ):
        yield socket, await hear(socket, "welcome")


async def hear(socket: Line, kind: str, **wanted: object) -> Json:
    """The next message of a kind whose fields are so; others are passed over."""
    async with asyncio.timeout(SOON):
        while True:
            message: Json = await socket.receive_json()
            if message["type"] == kind and all(message.get(name) == value for name, value in wanted.items()):
                return message


async def until_side(socket: Line, side: str, **wanted: object) -> Json:
    """The first state in which a side is so."""
    async with asyncio.timeout(SOON):
        while True:
            state = (await hear(socket, "state"))["state"]
            found: Json = next(each for each in state["sides"] if each["id"] == side)
            if all(
                (found[name] is not None) if value is ... else found[name] == value for name, value in wanted.items()
            ):
                return found


async def post(site: Site, role: str, act: str, body: Json) -> tuple[int, Json]:
    async with (
        site.client(site.as_(role)) as client,
        client.post(f"/api/live/{site.world.here.occurrence}/{act}", json=body) as answer,
    ):
        return answer.status, await answer.json()


@one_database
async def test_each_side_is_welcomed_and_seen_by_the_other(site: Site) -> None:
    here = site.world.here
    async with line(site, "lead_teacher") as (teacher, welcome):
        assert (welcome["protocol"], welcome["side"], welcome["role"]) == (1, here.lead_side, "lead")
        assert [side["here"] for side in welcome["state"]["sides"]] == [True, False]
        async with line(site, "device") as (_, other):
            assert (other["side"], other["role"]) == (here.receiver_side, "receiver")
            await until_side(teacher, here.receiver_side, here=True)
        await until_side(teacher, here.receiver_side, here=False)


@one_database
async def test_a_hand_goes_up_and_is_lowered_by_the_lead(site: Site) -> None:
    here = site.world.here
    async with line(site, "lead_teacher") as (teacher, _), line(site, "device") as (classroom, _):
        await classroom.send_json({"type": "hand", "up": True})
        await until_side(teacher, here.receiver_side, hand=...)
        await teacher.send_json({"type": "lower", "side": here.receiver_side})
        await until_side(classroom, here.receiver_side, hand=None)


@one_database
async def test_the_floor_is_given_told_and_handed_back(site: Site) -> None:
    here = site.world.here
    assert (await post(site, "lead_teacher", "open", {}))[0] == 200
    async with line(site, "lead_teacher") as (teacher, _), line(site, "device") as (classroom, _):
        await classroom.send_json({"type": "floor", "side": here.receiver_side})
        assert (await hear(classroom, "error"))["code"] == "not_allowed"
        await classroom.send_json({"type": "floor", "side": None})
        assert (await hear(classroom, "error"))["code"] == "no_floor"
        await classroom.send_json({"type": "hand", "up": True})
        await classroom.send_json({"type": "devices", "camera": True, "microphone": False})
        await until_side(teacher, here.receiver_side, hand=..., devices={"camera": True, "microphone": False})
        await teacher.send_json({"type": "floor", "side": here.lead_side})
        assert (await hear(teacher, "error"))["code"] == "side_unknown"
        await teacher.send_json({"type": "floor", "side": here.receiver_side})
        await until_side(classroom, here.receiver_side, hand=None)
        async with line(site, "device") as (_, late):
            assert late["state"]["floor"] == here.receiver_side
        await classroom.send_json({"type": "floor", "side": None})
        async with asyncio.timeout(SOON):
            while (await hear(teacher, "state"))["state"]["floor"] is not None:
                pass


@one_database
async def test_a_classroom_sees_the_figures_of_its_own_line(site: Site) -> None:
    here = site.world.here
    sessions = [{"side": side, "source": "lead"} for side in (here.lead_side, here.receiver_side)]
    seen = {"type": "stats", "received": {"framesDecoded": 9, "freezes": 2, "freezeSeconds": 1.5, "height": 360}}
    async with line(site, "lead_teacher") as (teacher, _), line(site, "device") as (classroom, _):
        await classroom.send_json(seen)
        await classroom.send_json({"type": "beat", "sent": 1})
        await hear(classroom, "beat")
        told = {"type": "media", "origin": "relay", "sessions": sessions}
        await site.server.services.bus.publish(f"live:{here.occurrence}", told)
        whole, own = await hear(teacher, "media"), await hear(classroom, "media")
    assert [each["side"] for each in whole["sessions"]] == [here.lead_side, here.receiver_side]
    assert [each["side"] for each in own["sessions"]] == [here.receiver_side]
    assert whole["seen"] == {here.receiver_side: {"freezes": 2, "freeze_seconds": 1.5, "height": 360}}


@one_database
async def test_a_token_is_for_what_a_side_may_send_and_receive(site: Site) -> None:
    here = site.world.here
    own = f"class:{here.receiver_side}"
    wanted = [
        ("lead_teacher", {"source": "screen"}, 200, f"/whip/{here.occurrence}/screen"),
        ("lead_teacher", {"source": own, "role": "subscribe"}, 200, f"/whep/{here.occurrence}/{own}"),
        ("lead_teacher", {"source": own}, 403, "not_allowed"),
        ("lead_teacher", {"source": "lead", "role": "subscribe"}, 403, "not_allowed"),
        ("lead_teacher", {"source": f"class:{here.lead_side}", "role": "subscribe"}, 404, "not_found"),
        ("lead_teacher", {"source": "kitchen"}, 422, "invalid"),
        ("device", {"source": "screen"}, 200, f"/whep/{here.occurrence}/screen"),
        ("device", {"source": own, "role": "publish"}, 200, f"/whip/{here.occurrence}/{own}"),
        ("device", {"source": "lead", "role": "publish"}, 403, "not_allowed"),
        ("device", {"source": own}, 403, "no_floor"),
        ("auditor", {"source": "lead"}, 404, "not_found"),
    ]
    for source, status in (("lead", 200), ("screen", 409)):
        assert (await post(site, "device", "join", {"source": source}))[0] == status, (
            "nothing but the lead before the start"
        )
    assert (await post(site, "lead_teacher", "open", {}))[0] == 200
    for role, body, status, told in wanted:
        found, answer = await post(site, role, "join", body)
        assert (found, answer.get("url") or answer["code"]) == (status, told), (role, body)


@one_database
async def test_a_line_of_the_lead_reaches_every_screen(site: Site) -> None:
    async with line(site, "lead_teacher") as (teacher, _), line(site, "device") as (classroom, _):
        await teacher.send_json({"type": "notice", "text": "  请安静  "})
        assert (await hear(classroom, "notice"))["text"] == "请安静"


@one_database
async def test_a_beat_gives_the_servers_time(site: Site) -> None:
    async with line(site, "device") as (classroom, _):
        await classroom.send_json({"type": "beat", "sent": 17.5})
        answer = await hear(classroom, "beat")
        assert answer["sent"] == 17.5
        assert answer["now"].endswith("+00:00")


@one_database
@pytest.mark.parametrize(
    ("role", "message", "code"),
    [
        ("device", '{"type": "notice", "text": "x"}', "not_allowed"),
        ("lead_teacher", '{"type": "hand", "up": true}', "not_allowed"),
        ("device", '{"type": "lower", "side": "00000000000000000000000000000000"}', "not_allowed"),
        ("device", "{", "bad_request"),
        ("device", '{"type": "sing"}', "bad_request"),
        ("device", '{"type": "hand", "up": "perhaps"}', "bad_request"),
        ("lead_teacher", '{"type": "devices", "camera": true, "microphone": true}', "not_allowed"),
        ("lead_teacher", '{"type": "floor", "side": "x"}', "bad_request"),
        ("lead_teacher", '{"type": "rung", "rung": "audio"}', "not_allowed"),
        ("device", '{"type": "rung", "rung": "cellar"}', "bad_request"),
        ("lead_teacher", '{"type": "floor", "side": null}', "occurrence_not_live"),
        ("lead_teacher", '{"type": "notice", "text": " "}', "bad_request"),
        ("device", '{"type": "beat", "sent": 1e999}', "bad_request"),
        ("device", '{"type": "stats", "received": {"framesDecoded": 1, "freezeSeconds": 1e999}}', "bad_request"),
        ("lead_teacher", '{"type": "stats", "sent": {"framesEncoded": 1, "roundTripMs": 1e999}}', "bad_request"),
    ],
)
async def test_what_a_side_may_not_say_changes_nothing(site: Site, role: str, message: str, code: str) -> None:
    async with line(site, role) as (socket, _):
        await socket.send_str(message)
        error = await hear(socket, "error")
        assert error["code"] == code
        assert error["words"]
        await socket.send_json({"type": "beat", "sent": 1})
        await hear(socket, "beat")


@one_database
async def test_who_talks_too_much_is_not_heard(site: Site) -> None:
    async with line(site, "device") as (classroom, _):
        for number in range(30):
            await classroom.send_json({"type": "beat", "sent": number})
        assert (await hear(classroom, "error"))["code"] == "too_many_requests"


@one_database
@pytest.mark.parametrize("role", ["planner", "auditor", "operator"])
async def test_a_lesson_has_no_line_for_those_who_are_not_in_it(site: Site, role: str) -> None:
    async with site.client(site.as_(role)) as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(f"/live/{site.world.here.occurrence}")
        assert refused.value.status == 404


@one_database
async def test_the_other_countys_lesson_does_not_exist(site: Site) -> None:
    for role in ("lead_teacher", "device"):
        async with site.client(site.as_(role)) as client:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect(f"/live/{site.world.there.occurrence}")
            assert refused.value.status == 404


@one_database
async def test_who_teaches_stays_signed_in_as_long_as_the_line_is_open(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "STILL_SECONDS", 0.05)
    services = site.server.services
    idle = timedelta(minutes=services.settings.session_idle_minutes)
    assert (await post(site, "lead_teacher", "open", {}))[0] == 200
    async with line(site, "lead_teacher") as (teacher, _):
        for ago in (idle - timedelta(minutes=1), timedelta(minutes=2)):
            before = services.clock.now() - ago
            async with services.store.write() as session:
                await session.execute(update(Session).values(used_at=before))

            async def used(before: datetime = before) -> bool:
                return await used_at(site, "lead_teacher") != before

            await until(used, "the session counts as used", SOON)
        await teacher.send_json({"type": "beat", "sent": 1})
        await hear(teacher, "beat")


async def used_at(site: Site, role: str) -> datetime:
    async with site.server.services.store.read() as session:
        return (await session.get_one(Session, digest(site.as_(role)))).used_at


@one_database
@pytest.mark.parametrize("what", ["signed out", "replaced"])
async def test_who_is_no_longer_of_the_lesson_is_shown_out(
    site: Site, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(talk, "STILL_SECONDS", 0.05)
    here, services = site.world.here, site.server.services
    orders: list[Order] = []

    async def ordered(order: Order) -> None:
        orders.append(order)

    monkeypatch.setattr(services.media, "order", ordered)
    async with line(site, "lead_teacher") as (teacher, _):
        async with services.store.write() as session:
            if what == "replaced":
                substitute = update(OccurrenceSide).where(OccurrenceSide.id == here.lead_side)
                await session.execute(substitute.values(teacher_code="T-other"))
            else:
                gone = update(Session).where(Session.token_hash == digest(site.as_("lead_teacher")))
                await session.execute(gone.values(ended_at=services.clock.now()))
        bye = await hear(teacher, "bye")
        assert bye["code"] == ("not_found" if what == "replaced" else "sign_in_needed")
        assert bye["words"]
        assert orders == [EndPeer(RoomId(here.occurrence), PeerId(here.lead_side))]
        assert (await teacher.receive()).type is aiohttp.WSMsgType.CLOSE


@one_database
async def test_a_teacher_who_may_teach_no_longer_has_no_side(site: Site) -> None:
    here = site.world.here
    async with site.server.services.store.write() as session:
        account = here.accounts["lead_teacher"]
        await session.execute(update(AccountRole).where(AccountRole.account_id == account).values(role="auditor"))
    for body in ({}, {"source": "screen"}):
        assert (await post(site, "lead_teacher", "join", body))[0] == 404
    async with site.client(site.as_("lead_teacher")) as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(f"/live/{here.occurrence}")
    assert refused.value.status == 404


@one_database
async def test_another_sites_page_gets_no_line(site: Site) -> None:
    async with site.client(site.as_("device"), Origin="https://elsewhere.example") as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.ws_connect(f"/live/{site.world.here.occurrence}")
        assert refused.value.status == 403


@one_database
async def test_a_plain_request_is_told_so(site: Site) -> None:
    async with (
        site.client(site.as_("device")) as client,
        client.get(f"/live/{site.world.here.occurrence}") as answer,
    ):
        assert answer.status == 400
        assert (await answer.json())["code"] == "bad_request"


@one_database
async def test_a_cancelled_lesson_says_goodbye(site: Site) -> None:
    async with site.server.services.store.write() as session:
        await session.execute(
            update(Occurrence)
            .where(Occurrence.id == site.world.here.occurrence)
            .values(state="cancelled", cancel_reason="power")
        )
    async with (
        site.client(site.as_("device")) as client,
        client.ws_connect(f"/live/{site.world.here.occurrence}") as socket,
    ):
        bye = await hear(socket, "bye")
        assert bye["code"] == "occurrence_cancelled"
        assert bye["words"]
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_the_doors_of_a_class_from_ready_to_ended(site: Site) -> None:
    here = site.world.here
    result = {"picture": True, "sound": True, "round_trip_ms": 12, "lost": 0, "asked": 8}
    async with line(site, "lead_teacher") as (teacher, _):
        assert (await post(site, "lead_teacher", "self-test", result))[0] == 200
        _, now = await post(site, "device", "self-test", result)
        assert now["state"]["state"] == "ready"
        status, problem = await post(site, "device", "sign-in", {"assistant": here.assistant, "pin": "9999"})
        assert (status, problem["code"]) == (422, "wrong_pin")
        assert (await post(site, "device", "sign-in", {"assistant": here.assistant, "pin": PIN}))[0] == 200
        assert (await post(site, "device", "head-count", {"present": 11}))[0] == 200
        await until_side(teacher, here.receiver_side, assistant="王老师", present=11, tested=True)
        assert (await post(site, "device", "open", {}))[0] == 403
        assert (await post(site, "lead_teacher", "open", {}))[1]["state"]["state"] == "live"
        _, ticket = await post(site, "device", "join", {})
        assert (ticket["role"], ticket["url"]) == ("subscribe", f"/whep/{here.occurrence}/lead")
        _, ticket = await post(site, "lead_teacher", "join", {})
        assert (ticket["role"], ticket["url"]) == ("publish", f"/whip/{here.occurrence}/lead")
        assert (await post(site, "lead_teacher", "close", {}))[1]["state"]["state"] == "judged"
        async with asyncio.timeout(SOON):
            while (await hear(teacher, "state"))["state"]["state"] != "judged":
                pass


async def test_a_pages_own_figures_are_kept_once_a_minute(site: Site) -> None:
    here, services = site.world.here, site.server.services
    figures = {"framesDecoded": 100, "freezes": 1, "audioEnergy": 0.5}
    async with line(site, "device") as (classroom, _):
        for _ in range(3):
            await classroom.send_json({"type": "stats", "received": figures, "sessions": 1, "restarts": 0})
        await classroom.send_json({"type": "beat", "sent": 1})
        await hear(classroom, "beat")
    await services.board.flush()
    async with services.store.read() as session:
        rows = (await session.scalars(select(EvidenceEvent).where(EvidenceEvent.kind == "page_stats"))).all()
        kept = [(row.side_id, row.source, row.data["received"]["framesDecoded"]) for row in rows]
    assert kept == [(here.receiver_side, "page", 100)]


@one_database
async def test_the_classroom_is_told_of_the_running_lesson(site: Site) -> None:
    async with site.client(site.as_("device")) as client:
        async with client.get("/api/classroom/now") as answer:
            before = await answer.json()
        assert before["running"] is None
        assert (await post(site, "lead_teacher", "open", {}))[0] == 200
        async with client.get("/api/classroom/now") as answer:
            after = await answer.json()
    assert after["running"] == site.world.here.occurrence
    assert after["mark"] != before["mark"]


async def test_a_head_count_kept_offline_is_handed_in_once(site: Site) -> None:
    at = site.server.services.clock.now().isoformat()
    piece = {"event_id": "k3pt0ffline", "kind": "head_count", "at": at, "data": {"present": 9}}
    assert await post(site, "device", "late", {"items": [piece]}) == (200, {"new": 1})
    assert await post(site, "device", "late", {"items": [piece]}) == (200, {"new": 0})
    async with line(site, "lead_teacher") as (_, welcome):
        assert welcome["state"]["sides"][1]["present"] == 9
    early = {**piece, "event_id": "t00early99", "at": "2020-01-01T00:00:00Z"}
    status, problem = await post(site, "device", "late", {"items": [early]})
    assert (status, problem["code"]) == (422, "evidence_malformed")
