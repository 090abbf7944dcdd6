"""``sanke serve``: runs the server until it is asked to stop."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rich.console import Console

from api.cli.running import WRONG, refuse, running_settings, starting_told, stop_asked
from api.server import Running, running
from config import VERSION
from config.settings import Settings
from config.words import say, say_both
from media.pauses import shorten_pauses
from rooms.people.setup import first_operator

console = Console(highlight=False, soft_wrap=True)


def serve(*, host: str | None = None, port: int | None = None, data_dir: Path | None = None) -> None:
    """Run the server. 启动服务。

    Parameters
    ----------
    host
        Address to listen on. 监听地址。
    port
        Port to listen on; 0 takes a free one. 监听端口。
    data_dir
        Folder of the database, keys and uploads. 数据目录。
    """
    settings = running_settings(host=host, port=port, data_dir=data_dir)
    if not settings.relay_in_process and not settings.redis_url.get_secret_value():
        refuse(WRONG, "serve_needs_redis")
    with starting_told():
        asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    async with running(settings) as server:
        with stop_asked() as asked:
            console.print(say_both("cli.listening", version=VERSION, url=server.url), markup=False)
            await _greet_first_operator(server)
            shorten_pauses()
            await asked.wait()
        console.print(say_both("cli.stopping"), markup=False)


async def _greet_first_operator(server: Running) -> None:
    services = server.services
    name = say(services.settings.language, "cli.first_operator_name")
    made = await first_operator(services.store, services.clock, services.settings, name)
    if made is not None:
        console.print(say_both("cli.first_operator"), markup=False)
        console.print(f"  {server.url}/link/{made.token}", markup=False)
        console.print(f"  {made.first.login} / {made.first.password}", markup=False)
