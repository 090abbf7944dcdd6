"""The bureau's desk: every number opens as many rows, the log verifies outside, tables leave as harmless files."""

import asyncio
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession
from api_world import PAGE, Site
from python_calamine import CalamineWorkbook
from sqlalchemy.event import listen
from waiting import PATIENCE

from media.clients.synthetic import SyntheticPublisher
from media.events import PeerId, RoomId, SourceName
from rooms.audit.verifier import OK, TAMPERED, read_key, verify
from rooms.reports import FIGURE_KEYS
from rooms.store import SYSTEM
from rooms.tables import School

PAGES = ("", "/schools", "/quota", "/hours", "/points", "/exceptions", "/audit", "/live")


async def text(session: ClientSession, path: str) -> str:
    async with session.get(path, headers=PAGE) as answer:
        body = await answer.text()
        assert answer.status == 200, body[:400]
        return body


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_every_page_is_there_in_both_languages(site: Site, language: str) -> None:
    here = site.world.here
    async with site.client(site.as_("auditor"), **{"Accept-Language": language}) as session:
        for path in PAGES:
            body = await text(session, f"/bureau/{here.county}{path}")
            assert "Undefined" not in body
        assert "lang=" in await text(session, f"/bureau/{here.county}/lessons/{here.occurrence}")
        await text(session, f"/bureau/{here.county}/quota/{here.school}")


async def test_a_number_opens_as_many_rows(site: Site) -> None:
    here = site.world.here
    async with site.client(site.as_("auditor")) as session:
        overview = await text(session, f"/bureau/{here.county}")
        for key in FIGURE_KEYS:
            rows = await text(session, f"/bureau/{here.county}/figures/{key}")
            found = re.search(r'<span class="count">([\d,]+)</span>', rows)
            assert found, key
            count = int(found[1].replace(",", ""))
            assert rows.count("/lessons/") == count
            if f"/figures/{key}" in overview and "figure-value" in overview.split(f"/figures/{key}", 1)[1][:400]:
                shown = re.search(r'figure-value">([\d,]+)', overview.split(f"/figures/{key}", 1)[1])
                assert shown
                assert int(shown[1].replace(",", "")) == count


async def test_a_teaching_point_that_leads_too_is_counted_where_it_receives(site: Site) -> None:
    here = site.world.here
    async with site.server.services.store.write() as session:
        (await session.get_one(School, (here.county, here.school))).kind = "teaching_point"
    async with site.client(site.as_("auditor")) as session:
        points = await text(session, f"/bureau/{here.county}/points")
        for path, number in re.findall(r'href="([^"]+/figures/\w+_points[^"]*)">(\d+)</a>', points):
            opened = await text(session, path.replace("&amp;", "&"))
            assert f'<span class="count">{number}</span>' in opened, path


async def test_the_choice_travels_with_every_link(site: Site) -> None:
    here = site.world.here
    async with site.client(site.as_("auditor")) as session:
        body = await text(session, f"/bureau/{here.county}?span=week&school={here.school}")
        assert f"/figures/done_lead?span=week&amp;school={here.school}" in body
        async with session.get(f"/bureau/{here.county}?span=year", headers=PAGE) as answer:
            assert answer.status == 422
        async with session.get(f"/bureau/{here.county}/figures/made_up", headers=PAGE) as answer:
            assert answer.status == 404


@pytest.mark.parametrize("page", ["", "/schools", "/quota", "/hours", "/points", "/exceptions", "/figures/done_lead"])
async def test_figures_of_one_school_say_so(site: Site, page: str) -> None:
    here = site.world.here
    async with site.client(site.as_("auditor")) as session:
        one = await text(session, f"/bureau/{here.county}{page}?school={here.school}&span=own&first=2026-09-01")
        head = one.split('class="page-head"')[1].split("</p></div>")[0]
        assert f"{here.school}小学" in head
        assert "全县" not in head
        if "chooser-select" in one:
            assert 'name="first" value="2026-09-01"' in one
            back = re.search(r'href="([^"]+)" title="恢复显示全部学校"', one)
            assert back
            whole = await text(session, back[1].replace("&amp;", "&"))
            assert "全县" in whole.split('class="page-head"')[1].split("</p></div>")[0]


async def test_an_exported_table_of_one_school_says_so(site: Site) -> None:
    here = site.world.here
    path = f"/bureau/{here.county}/export/rows/csv?township=T&school={here.school}"
    async with site.client(site.as_("auditor")) as session, session.get(path) as answer:
        last = (await answer.text("utf-8-sig")).splitlines()[-1]
    assert f"{here.school}小学" in last


async def test_a_foreign_lesson_is_not_there(site: Site) -> None:
    here, there = site.world.here, site.world.there
    async with site.client(site.as_("auditor")) as session:
        for path in (f"/bureau/{here.county}/lessons/{there.occurrence}", f"/bureau/{there.county}/audit"):
            async with session.get(path, headers=PAGE) as answer:
                assert answer.status == 404


async def test_the_exported_log_verifies_and_a_changed_byte_shows(site: Site, tmp_path: Path) -> None:
    base = f"/bureau/{site.world.here.county}/audit"
    async with site.client(site.as_("auditor")) as session:
        key = await text(session, f"{base}/key")
        async with session.post(f"{base}/bundle") as answer:
            assert answer.status == 200
            body = await answer.read()
        earlier = await text(session, f"{base}/checkpoint")
        async with session.post(f"{base}/bundle") as answer:
            later = await answer.read()
        program = await text(session, f"{base}/verifier")
    assert verify(io.BytesIO(body), read_key(key)).status == OK
    assert verify(io.BytesIO(later), read_key(key), earlier).status == OK
    assert verify(io.BytesIO(body.replace(b"audit.export", b"audit.forged", 1)), read_key(key)).status == TAMPERED
    for name, content in (
        ("verifier.py", program.encode()),
        ("log", later),
        ("key", key.encode()),
        ("note", earlier.encode()),
    ):
        (tmp_path / name).write_bytes(content)
    command = [sys.executable, "-I", "verifier.py", "log", "--key", "key", "--last-checkpoint", "note"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == OK
    changed = bytearray(later)
    changed[len(changed) // 2] ^= 1
    (tmp_path / "log").write_bytes(changed)
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == TAMPERED
    leftover = list(site.server.services.settings.data_dir.glob("sanke-audit-*"))
    assert leftover == []


@pytest.mark.parametrize("table", ["rows", "schools", "quota", "hours", "points", "exceptions"])
async def test_a_table_leaves_as_a_harmless_file(site: Site, table: str) -> None:
    here = site.world.here
    async with site.server.services.store.write() as session:
        school = await session.get_one(School, (here.county, here.school))
        school.name = '=HYPERLINK("http://example.invalid")'
    async with site.client(site.as_("auditor")) as client:
        async with client.get(f"/bureau/{here.county}/export/{table}/csv") as answer:
            assert answer.status == 200
            body = await answer.read()
        assert body.startswith(b"\xef\xbb\xbf")
        assert not re.search(r'(^|[,\n"])=HYPER', body.decode("utf-8-sig"))
        async with client.get(f"/bureau/{here.county}/export/{table}/xlsx") as answer:
            workbook = CalamineWorkbook.from_filelike(io.BytesIO(await answer.read()))
    assert len(workbook.get_sheet_by_index(0).to_python()) >= 3


async def test_the_log_can_be_searched(site: Site) -> None:
    here = site.world.here
    async with site.client(site.as_("auditor")) as session:
        await session.post(f"/bureau/{here.county}/audit/bundle")
        found = await text(session, f"/bureau/{here.county}/audit?action=audit.export")
        assert "audit.export" in found
        assert "table-log" in found
        none = await text(session, f"/bureau/{here.county}/audit?actor=nobody-of-this-name")
        assert "table-log" not in none


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_running_class_shows_every_line_in_numbers(site: Site) -> None:
    here, services = site.world.here, site.server.services
    room, peer = RoomId(here.occurrence), PeerId(here.lead_side)
    base = f"/bureau/{here.county}/live"
    async with site.client(site.as_("auditor")) as session:
        await services.board.open_class(SYSTEM, here.occurrence)
        publisher = SyntheticPublisher()

        async def offer(sdp: str) -> str:
            return (await services.relay.publish(room, SourceName("lead"), peer, sdp)).sdp

        await publisher.start(offer)
        assert "kbit/s" in await text(session, f"{base}/{here.occurrence}")
        async with asyncio.timeout(PATIENCE):
            while 'data-tone="jade"></i> 线路好' not in (body := await text(session, f"{base}/{here.occurrence}")):
                await asyncio.sleep(0.2)
        assert "上行 主讲画面" in body
        assert "线路好" in await text(session, base)
        await publisher.close()
        await services.board.give_floor(SYSTEM, here.occurrence, here.receiver_side)
        assert "正在发言" in await text(session, base)
        await services.board.close_class(SYSTEM, here.occurrence)
        async with session.get(f"{base}/{here.occurrence}", headers=PAGE, allow_redirects=False) as answer:
            assert answer.headers["Location"].endswith(f"/lessons/{here.occurrence}"), "it is over"
        evidence = await text(session, f"/bureau/{here.county}/lessons/{here.occurrence}")
        assert 'class="time-floor"' in evidence
        assert "<dt>连麦发言</dt><dd>1 次" in evidence
    async with site.client(site.as_("auditor")) as session:
        foreign = f"{base}/{site.world.there.occurrence}"
        async with session.get(foreign, headers=PAGE) as answer:
            assert answer.status == 404


async def test_all_figures_of_a_page_stand_on_the_same_rows(site: Site) -> None:
    """A county's sides are read once for each period of a page: its own, and the term that R2 counts."""
    asked: list[str] = []
    engine = site.server.services.store.engine.sync_engine
    listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    here = site.world.here
    async with site.client(site.as_("auditor")) as session:
        for path in ("", "/points", "/exceptions", "/schools", "/hours"):
            asked.clear()
            await text(session, f"/bureau/{here.county}{path}")
            assert len([each for each in asked if "verdicts.common_seconds" in each]) == 1, path
