"""The demonstration as a person starts it: a process, links that lead to desks, and a class that is on."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from pathlib import Path

import aiohttp
import pytest
from waiting import PATIENCE

from api.cli import demo
from config.settings import Settings

LINK = re.compile(r"http://\S+/link/\S+")
DESKS = ("/planner/DEMO", "/teach", "/classroom", "/bureau/DEMO", "/operator")


async def links_of(process: asyncio.subprocess.Process) -> list[str]:
    """What is printed until the last line of the introduction."""
    assert process.stdout is not None
    found: list[str] = []
    async with asyncio.timeout(200):
        while line := (await process.stdout.readline()).decode():
            found += LINK.findall(line)
            if "Ctrl-C" in line:
                return found
    raise AssertionError("the demonstration ended early")


async def desk_behind(link: str) -> str:
    jar = aiohttp.CookieJar(unsafe=True)
    page = {"Accept": "text/html"}
    async with aiohttp.ClientSession(cookie_jar=jar, headers=page) as browser, browser.get(link) as answer:
        assert answer.status == 200
        assert 'class="demo-strip"' in await answer.text(), "every page says that its data is made up"
        return answer.url.path


async def figure(base: str, name: str) -> float:
    async with aiohttp.ClientSession() as client, client.get(f"{base}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def test_it_stays_out_of_a_servers_own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "sanke.toml"
    theirs.write_text(
        'database_url = "postgresql+asyncpg://sanke@db.invalid/sanke"\nredis_url = "redis://redis.invalid"\n'
        'relay_in_process = false\nsecure_cookies = true\nmedia_announce = ["192.0.2.10"]\n'
    )
    monkeypatch.setenv("SANKE_CONFIG", str(theirs))
    monkeypatch.setattr(demo, "configure_logs", lambda *_: None)
    served: list[Settings] = []

    async def serve(settings: Settings, _seconds: int) -> None:
        served.append(settings)

    monkeypatch.setattr(demo, "_demo", serve)
    demo.demo(port=0, data_dir=tmp_path / "demo")
    (settings,) = served
    assert settings.database == f"sqlite+aiosqlite:///{tmp_path / 'demo' / 'sanke.db'}"
    assert not settings.redis_url.get_secret_value()
    assert (settings.relay_in_process, settings.secure_cookies, settings.media_announce) == (True, False, ())


async def test_every_link_leads_to_its_desk_and_a_class_is_on(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from api.cli import main; main()", "demo", "--port", "0", "--data-dir", str(tmp_path / "demo"),
        "--plan-seconds", "4", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        links = await links_of(process)
        assert tuple([await desk_behind(link) for link in links[:5]]) == DESKS
        assert await desk_behind(links[0]) == DESKS[0]
        base = links[0].split("/link/")[0]
        assert await figure(base, 'sanke_media_sessions{role="publisher"}') == 1
        process.send_signal(signal.SIGINT)
        _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert (process.returncode, errors.decode()) == (0, "")
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
