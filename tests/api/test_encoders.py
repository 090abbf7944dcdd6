"""From the operator's form to the class: an encoder is registered, tried, and leads a lesson in the teacher's place."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientSession
from api_world import Site
from media_doors import Doors
from recording_room import Film, RtspEncoder, children
from sqlalchemy import select
from waiting import PATIENCE, until

from config.settings import Settings
from media.clients.counting import CountOnlySubscriber
from rooms.tables import AuditLeaf, EvidenceEvent, RoomEncoder

SECRET = "s3cret-word"


@pytest.fixture
async def room() -> AsyncIterator[RtspEncoder]:
    async with RtspEncoder(Film()) as room:
        yield room
    assert not children()


@pytest.fixture
def settings(store_url: str, tmp_path: Path, room: RtspEncoder) -> Settings:
    return Settings(
        data_dir=tmp_path / "data", database_url=store_url, port=0, log_level="error", media_slot_seconds=0.5,
        media_encoder_networks=(ipaddress.ip_network("127.0.0.1/32"),), media_encoder_ports=(room.port,),
    )  # fmt: skip


async def ask(session: ClientSession, path: str, body: object = None, method: str = "POST") -> tuple[int, Any]:
    async with session.request(method, path, json=body if body is not None or method != "POST" else {}) as answer:
        return answer.status, (await answer.json() if answer.content_length else None)


def form(site: Site, url: str) -> dict[str, Any]:
    here = site.world.here
    return {
        "county": here.county,
        "school": here.school,
        "room": here.room,
        "name": "录播主机",
        "kind": "rtsp",
        "url": url,
    }


@pytest.mark.parametrize("database", ["postgresql"])
async def test_an_encoder_leads_a_lesson_and_gives_it_back(site: Site, room: RtspEncoder) -> None:
    here, services = site.world.here, site.server.services
    async with site.client(site.as_("operator")) as operator:
        status, made = await ask(operator, "/api/operator/encoders", form(site, room.url(f"cam:{SECRET}")))
        assert status == 201
        status, tried = await ask(operator, f"/api/operator/encoders/{made['encoder_id']}/try")
        assert (tried["works"], tried["hint"]) == (True, "")
        assert "H264 320×240" in tried["words"]
        async with operator.get("/operator/encoders", headers={"Accept": "text/html"}) as page:
            assert SECRET not in await page.text()
    door = f"/api/live/{here.occurrence}"
    async with site.client(site.as_("lead_teacher")) as teacher:
        status, now = await ask(teacher, f"{door}/encoder", method="GET")
        assert [each["id"] for each in now["choices"]] == [here.encoder, made["encoder_id"]]
        assert (now["used"], now["state"]) == (None, None)
        status, now = await ask(teacher, f"{door}/encoder", {"encoder": made["encoder_id"]})
        assert (status, now["used"]) == (200, made["encoder_id"])
        status, refused = await ask(teacher, f"{door}/join")
        assert (status, refused["code"]) == (409, "encoder_sends")
        async with teacher.ws_connect(f"/live/{here.occurrence}") as line:
            await _told_live(line)
        await _receives(Doors(site, teacher))
        status, _ = await ask(teacher, f"{door}/encoder", method="DELETE")
        assert status == 200
        await until(lambda: not children())
        assert (await ask(teacher, f"{door}/join"))[0] == 200
    await services.board.close()
    await _evidence_is_the_leads(site)


async def _told_live(line: aiohttp.ClientWebSocketResponse) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            encoder = (await line.receive_json()).get("state", {}).get("encoder")
            if encoder and encoder["state"] == "live":
                assert encoder["found"]["sound"] == "aac"
                return


async def _receives(doors: Doors) -> None:
    pupil = CountOnlySubscriber(sample=5)
    answer = await doors.post("whep", pupil.offer(), doors.token("subscribe"))
    assert answer.status == 201
    await pupil.connect(await answer.text())
    await until(lambda: len(pupil.streams) == 2 and pupil.packets > 60)
    assert pupil.bad_samples == 0
    await pupil.close()


async def _evidence_is_the_leads(site: Site) -> None:
    here = site.world.here
    async with site.server.services.store.read() as session:
        slots = await session.scalars(
            select(EvidenceEvent).where(EvidenceEvent.kind == "slot", EvidenceEvent.side_id == here.lead_side)
        )
        assert sum(each.data["packets"] for each in slots if each.data["role"] == "publisher") > 60
        actions = list(
            await session.scalars(
                select(AuditLeaf.action).where(AuditLeaf.action.contains("encoder")).order_by(AuditLeaf.index)
            )
        )
        assert actions == ["encoder.create", "class.encoder", "class.encoder_off"]
        stored = (await session.scalars(select(RoomEncoder).where(RoomEncoder.kind == "rtsp"))).one()
        assert stored.sealed_url is not None
        assert SECRET.encode() not in stored.sealed_url
        assert SECRET not in stored.shown_url


@pytest.mark.parametrize("database", ["sqlite"])
async def test_the_class_ends_and_so_does_its_encoder(site: Site, room: RtspEncoder) -> None:
    here = site.world.here
    async with site.client(site.as_("operator")) as operator, site.client(site.as_("lead_teacher")) as teacher:
        _, made = await ask(operator, "/api/operator/encoders", form(site, room.url()))
        door = f"/api/live/{here.occurrence}"
        await ask(teacher, f"{door}/open")
        await ask(teacher, f"{door}/encoder", {"encoder": made["encoder_id"]})
        await until(lambda: bool(room.viewers))
        path = f"/api/operator/encoders/{made['encoder_id']}"
        for change in ("delete", "disable", "try"):
            status, refused = await ask(operator, f"{path}/{change}")
            assert (status, refused["code"]) == (409, "encoder_in_use"), change
        assert (await ask(teacher, f"{door}/close"))[0] == 200

        async def forgotten() -> bool:
            return (await ask(operator, f"{path}/delete"))[0] == 204

        await until(forgotten)
        await until(lambda: not children())


@pytest.mark.parametrize("database", ["sqlite"])
async def test_an_address_outside_the_list_is_not_registered(site: Site, room: RtspEncoder) -> None:
    there = site.world.there
    async with site.client(site.as_("operator")) as operator:
        for url in (
            "rtsp://127.0.0.2/",
            "http://127.0.0.1/",
            f"rtsp://127.0.0.1:{room.port + 1}/",
            "file:///etc/passwd",
            "",
        ):
            status, refused = await ask(operator, "/api/operator/encoders", form(site, url))
            assert (status, refused["code"]) == (422, "encoder_address"), url
        foreign = {**form(site, room.url()), "county": there.county, "school": there.school, "room": there.room}
        assert (await ask(operator, "/api/operator/encoders", foreign))[0] == 404
        for act in ("delete", "key", "try", "disable"):
            assert (await ask(operator, f"/api/operator/encoders/{there.encoder}/{act}"))[0] == 404
        status, slip = await ask(operator, f"/api/operator/encoders/{site.world.here.encoder}/key")
        assert (status, len(slip["key"])) == (200, 32)
    assert not room.requests
