"""The doors of recordings: who watches, byte ranges, one file to take away, the running class over HTTP, and the log of it all."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from api_world import Site
from sqlalchemy import select, update

from media.recording.playlist import Part, Playlist, Segment, render
from rooms.tables import AuditLeaf, Occurrence, Recording

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
CAMERA, ALONE = Part("lead-h0.mp4", "avc1.42c016,opus"), Part("lead-h1.mp4", "opus")


@pytest.fixture
def folder(site: Site) -> Path:
    """The files of the seeded recording: twelve segments, the last two without a picture."""
    services = site.server.services
    return written(services.settings.data_dir / "recordings" / site.world.here.recording, site)


def written(folder: Path, site: Site) -> Path:
    folder.mkdir(parents=True)
    parts = [CAMERA] * 10 + [ALONE] * 2
    segments = tuple(Segment(f"lead-{n}.m4s", n * 2.0, 2.0, part) for n, part in enumerate(parts))
    began = site.server.services.clock.now() - timedelta(seconds=24)
    (folder / "lead.m3u8").write_text(render(Playlist(began, segments)))
    for name in [each.name for each in segments] + [CAMERA.header, ALONE.header]:
        (folder / name).write_bytes(f"<{name}>".encode() * 100)
    return folder


async def test_who_watches_what(site: Site, folder: Path) -> None:
    here = site.world.here
    playlist = f"/recordings/{here.recording}/lead.m3u8"
    wanted = {"planner": 200, "auditor": 200, "lead_teacher": 200, "device": 200, "operator": 404, "nobody": 401}
    for role, status in wanted.items():
        async with site.client(site.as_(role)) as client, client.get(playlist) as answer:
            assert answer.status == status, role
    async with site.client(site.as_("device")) as client:
        async with client.get(playlist) as answer:
            assert answer.content_type == "application/vnd.apple.mpegurl"
            assert "#EXT-X-ENDLIST" in await answer.text(), "it no longer grows, even where its writer could not say so"
            assert answer.headers["Cache-Control"].startswith("private")
        async with client.get(f"/recordings/{here.recording}/lead-3.m4s", headers={"Range": "bytes=1-6"}) as answer:
            assert (answer.status, await answer.read()) == (206, b"lead-3")
            assert answer.content_type == "video/iso.segment"
            assert answer.headers["Cache-Control"].startswith("private")
        for name in ("lead-99.m4s", "open", "..%2f..%2fsanke.db", "screen.m3u8"):
            async with client.get(f"/recordings/{here.recording}/{name}") as answer:
                assert answer.status in (404, 409), name


@pytest.mark.parametrize("door", ["live", "kept"])
async def test_a_disk_that_stands_still_holds_up_nobody_else(
    site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    here, services = site.world.here, site.server.services
    goes_on, asked = threading.Event(), threading.Event()

    def stands_still(_path: Path) -> None:
        asked.set()
        goes_on.wait(10)

    monkeypatch.setattr("api.segments.read_playlist", stands_still)
    monkeypatch.setattr("api.replay.read_playlist", stands_still)
    async with services.store.write() as session:
        await session.execute(update(Occurrence).values(state="live"))
    path = f"/live/{here.occurrence}/segments" if door == "live" else f"/recordings/{here.recording}"
    async with site.client(site.as_("device")) as client:
        before = asyncio.get_running_loop().time()
        watching = asyncio.create_task(client.get(f"{path}/lead.m3u8"))
        try:
            await asyncio.to_thread(asked.wait, 5)
            async with client.get("/api/me") as answer:
                assert answer.status == 200
            assert asyncio.get_running_loop().time() - before < 5
        finally:
            goes_on.set()
            (await watching).close()


async def test_one_file_to_take_away(site: Site, folder: Path) -> None:
    here = site.world.here
    async with site.client(site.as_("lead_teacher")) as client:
        async with client.get(f"/recordings/{here.recording}/download/lead") as answer:
            body = await answer.read()
            assert answer.headers["Content-Disposition"].startswith("attachment")
        async with client.get(f"/recordings/{here.recording}/download/screen") as answer:
            assert answer.status == 409
    names = ["lead-h0.mp4", *(f"lead-{n}.m4s" for n in range(12))]
    assert body == b"".join(f"<{name}>".encode() * 100 for name in names), (
        "one header; its tracks are those of the other"
    )
    async with site.server.services.store.read() as session:
        found = await session.scalars(select(AuditLeaf.actor).where(AuditLeaf.action == "recording.watch"))
        assert list(found) == [f"account:lead-teacher-{here.county}"]


async def test_who_takes_files_without_the_page_stands_in_the_log_once(site: Site, folder: Path) -> None:
    here = site.world.here

    async def take(role: str, *files: str) -> None:
        async with site.client(site.as_(role)) as client:
            for answer in await asyncio.gather(*(client.get(f"/recordings/{here.recording}{file}") for file in files)):
                assert answer.status == 200
                answer.close()

    await take("device", "/lead-0.m4s", "/lead-1.m4s", "/lead-2.m4s", "/lead.m3u8")
    await take("device", "/lead-0.m4s")
    await take("auditor", "")
    await take("auditor", "/lead.m3u8", "/lead-0.m4s")
    async with site.server.services.store.read() as session:
        found = await session.execute(
            select(AuditLeaf.role, AuditLeaf.canonical)
            .where(AuditLeaf.action == "recording.watch")
            .order_by(AuditLeaf.index)
        )
        told = [(role, json.loads(canonical)["facts"]["how"]) for role, canonical in found]
    assert told == [("device", "files"), ("auditor", "page")]


async def test_a_withdrawn_recording_is_there_for_nobody(site: Site, folder: Path) -> None:
    here = site.world.here
    async with site.client(site.as_("device")) as client:
        door = f"/api/recordings/{here.recording}/withdraw"
        async with client.post(door, json={"why": "x"}) as answer:
            assert answer.status == 403, "a classroom watches, and removes nothing"
    async with site.client(site.as_("lead_teacher")) as client:
        async with client.post(door, json={"why": "口误"}) as answer:
            assert answer.status == 204
        for path in ("", "/lead.m3u8", "/lead-0.m4s", "/download/lead"):
            async with client.get(f"/recordings/{here.recording}{path}") as answer:
                assert answer.status == 404, path
    async with site.client(site.as_("operator")) as client:
        async with client.get("/recordings") as answer:
            assert "口误" in await answer.text()
        async with client.post(f"/api/recordings/{here.recording}/destroy", json={}) as answer:
            assert answer.status == 204
    assert not folder.exists()


async def test_the_running_class_over_http(site: Site) -> None:
    here, services = site.world.here, site.server.services
    door = f"/live/{here.occurrence}/segments"
    async with services.store.write() as session:
        await session.execute(update(Recording).values(state="recording"))
        await session.execute(update(Occurrence).values(state="live"))
    written(services.settings.data_dir / "recordings" / here.recording, site)
    async with site.client(site.as_("device")) as client:
        async with client.get(f"{door}/lead.m3u8") as answer:
            text = await answer.text()
            assert "#EXT-X-ENDLIST" not in text
            assert "lead-3.m4s" not in text, "only the newest eight"
            assert "#EXT-X-MEDIA-SEQUENCE:4" in text
        async with client.get(f"{door}/lead-11.m4s") as answer:
            assert answer.status == 200
        async with client.get(f"{door}/screen.m3u8") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (409, "2")
    for role in ("planner", "auditor", "operator"):
        async with site.client(site.as_(role)) as client, client.get(f"{door}/lead.m3u8") as answer:
            assert answer.status == 404, "a running class is for its sides alone"
    async with services.store.write() as session:
        await session.execute(update(Occurrence).values(state="ended"))
    async with site.client(site.as_("device")) as client, client.get(f"{door}/lead.m3u8") as answer:
        assert answer.status == 404
