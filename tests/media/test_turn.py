"""Schools where UDP does not get out: the relay is reached over TCP through Debian's coturn, with credentials that expire."""

from __future__ import annotations

import asyncio
import shutil
import socket
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aioice import stun, turn
from media_link import open_link_page
from media_page import chromium
from media_world import ScriptedPublisher
from pydantic import SecretStr
from waiting import until

from api.join import SESSION_LIFETIME, ice_servers
from config.settings import Settings
from media.relay import Relay
from rooms.clock import SystemClock

pytestmark = pytest.mark.skipif(shutil.which("turnserver") is None, reason="coturn is not here: apt-get install coturn")
DOCKER = Path(__file__).parents[2] / "docker"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@dataclass
class Late(SystemClock):
    """A clock that stood still some time ago."""

    by: timedelta

    def now(self) -> datetime:
        return super().now() - self.by


@pytest.fixture
async def settings(tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings that name a running coturn: the product's configuration, on this machine's addresses and over TCP alone."""
    port = free_port()
    lines = [
        (DOCKER / "turnserver.conf").read_text(encoding="utf-8"),
        *("static-auth-secret=s3cret", f"listening-port={port}", "allowed-peer-ip=127.0.0.1"),
        *("no-udp", "allow-loopback-peers", "listening-ip=127.0.0.1", "relay-ip=127.0.0.1"),
    ]
    path = tmp_path / "turnserver.conf"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    program = str(shutil.which("turnserver"))
    server = await asyncio.create_subprocess_exec(
        program, "-c", str(path), "--pidfile", str(tmp_path / "pid"), "--db", str(tmp_path / "db"), stdout=DEVNULL
    )

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    await until(listens, "the TURN server listens")
    yield Settings(
        data_dir=tmp_path, turn_urls=(f"turn:127.0.0.1:{port}?transport=tcp",), turn_secret=SecretStr("s3cret")
    )
    server.terminate()
    await server.wait()


async def allocate(settings: Settings, user: str, words: str) -> tuple[turn.TurnTransport, asyncio.DatagramProtocol]:
    port = int(settings.turn_urls[0].split(":")[2].partition("?")[0])
    return await turn.create_turn_endpoint(
        asyncio.DatagramProtocol, ("127.0.0.1", port), username=user, password=words, transport="tcp"
    )


async def test_credentials_open_the_way_to_the_relay_alone_and_expire(settings: Settings, relay: Relay) -> None:
    (good,) = ice_servers(settings, SystemClock(), "device:1")
    (stale,) = ice_servers(settings, Late(SESSION_LIFETIME + timedelta(seconds=1)), "device:1")
    for user, words in ((stale["username"], stale["credential"]), (good["username"], "guessed")):
        with pytest.raises(stun.TransactionFailed) as refused:
            await allocate(settings, user, words)
        assert refused.value.response.attributes["ERROR-CODE"][0] == 401
    transport, _ = await allocate(settings, good["username"], good["credential"])
    inner = transport._TurnTransport__inner_protocol
    for peer in ("10.0.0.5", "169.254.169.254", "8.8.8.8", "127.0.0.2"):
        with pytest.raises(stun.TransactionFailed) as refused:
            await inner.channel_bind(0x4000, (peer, 5432))
        assert refused.value.response.attributes["ERROR-CODE"][0] == 403
    await inner.channel_bind(0x4001, ("127.0.0.1", relay.port))
    transport.close()
    await asyncio.sleep(0.05)


@pytest.mark.browser
async def test_a_class_gets_through_where_udp_is_blocked(
    settings: Settings, relay: Relay, teacher: ScriptedPublisher
) -> None:
    teacher.stream()
    async with chromium("--webrtc-ip-handling-policy=disable_non_proxied_udp") as browser:
        page = await open_link_page(browser, relay, ice_servers=ice_servers(settings, SystemClock(), "device:1"))
        await page.evaluate("subscribe('pupil')")

        async def hears() -> bool:
            nonlocal found
            found = await page.evaluate("stats('pupil')")
            return bool(found.get("audio", {}).get("packetsReceived", 0) > 50)

        found: dict[str, Any] = {}
        await until(hears, "sound by way of TURN")
        assert (found["state"], found["sessions"]) == ("connected", 1), "at the first attempt"
        assert (found["candidate"], found["relayProtocol"]) == ("relay", "tcp")
        await page.evaluate("links.pupil.stop()")
    await until(lambda: relay.totals().subscribers == 0)
