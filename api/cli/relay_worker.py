"""``sanke relay``: live media on a processor core of its own, on any machine that reaches the server's database and Redis."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rich.console import Console

from api.cli.running import WRONG, refuse, running_settings, starting_told, stop_asked
from api.relaying import drained, relay_running
from config import VERSION
from config.settings import Settings
from config.words import say_both
from media.pauses import shorten_pauses

console = Console(highlight=False, soft_wrap=True)


def relay(
    *,
    host: str | None = None,
    port: int | None = None,
    media_port: int | None = None,
    url: str | None = None,
    data_dir: Path | None = None,
) -> None:
    """Carry live classes until asked to stop; then hand them to other workers first. 媒体转发进程：承载直播课堂。

    Parameters
    ----------
    host
        Address its doors listen on. 监听地址。
    port
        Port of its doors; 0 takes a free one. 监听端口。
    media_port
        Its one UDP port; 0 takes a free one. 媒体 UDP 端口。
    url
        Where pages and other workers reach it; otherwise `SANKE_RELAY_URL`, else host and port. 页面访问本进程的地址。
    data_dir
        Folder of the shared key, and of the database where that is SQLite. 数据目录。
    """
    settings = running_settings(host=host, port=port, media_port=media_port, relay_url=url, data_dir=data_dir)
    if not settings.redis_url.get_secret_value():
        refuse(WRONG, "relay_needs_redis")
    with starting_told():
        asyncio.run(_relay(settings))


async def _relay(settings: Settings) -> None:
    with stop_asked() as asked:
        async with relay_running(settings) as core:
            assert core.member is not None
            ready = say_both("cli.relay_ready", version=VERSION, name=core.member.id, url=core.member.url)
            console.print(ready, markup=False)
            if core.member.contact.lost:
                console.print(say_both("cli.relay_unheard"))
            shorten_pauses()
            await asked.wait()
            console.print(say_both("cli.relay_drains", seconds=settings.relay_drain_seconds))
            with stop_asked() as again:
                await drained(core, again)
        console.print(say_both("cli.stopping"))
