"""``sanke demo``: the demonstration county on this machine, with one link for each of its people and a class that is being held."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from api.cli.plan_now import PlanningFailed, plan_now
from api.cli.running import settings_given, starting_told, stop_asked
from api.cli.synthetic_class import SyntheticClass
from api.server import Running, running
from config.logs import configure_logs
from config.settings import Settings
from config.words import LANGUAGES, say, say_both
from media.pauses import shorten_pauses
from rooms.demo import Demo, load_demo

FOLDER = Path("var/demo")
PORT = 8080
PLAN_SECONDS = 20
console = Console(highlight=False)


def demo(
    *, port: int | None = None, data_dir: Path = FOLDER, fresh: bool = False, plan_seconds: int = PLAN_SECONDS
) -> None:
    """Load, plan and serve the demonstration county. 启动演示。

    Parameters
    ----------
    port
        Port to listen on; otherwise 8080, or a free one where that is taken. 监听端口。
    data_dir
        Folder of the demonstration. 演示数据目录。
    fresh
        Forget what was done before and begin anew. 清除旧的演示数据，重新开始。
    plan_seconds
        How long the timetable is worked on. 编排课表的时间。
    """
    if fresh and (data_dir / "sanke.db").exists():
        shutil.rmtree(data_dir)
    settings = _settings(data_dir, _port(port))
    configure_logs(settings.log_format, settings.log_level)
    try:
        with starting_told():
            asyncio.run(_demo(settings, plan_seconds))
    except PlanningFailed as failure:
        console.print(say_both("cli.planning_failed", reason=failure))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _settings(data_dir: Path, port: int) -> Settings:
    """A server of this machine alone, in a folder of its own: its accounts have a known password, and are never to come into the
    database or among the workers that a server's own settings may name here."""
    return settings_given(
        demo=True, data_dir=data_dir, database_url="", redis_url="", host="127.0.0.1", port=port, public_url="",
        secure_cookies=False, relay_in_process=True, media_host="127.0.0.1", media_port=0, media_announce=(),
        log_level="warning",
    )  # fmt: skip


def _port(wanted: int | None) -> int:
    """The port asked for, else the usual one, else (where that is taken) a free one."""
    if wanted is not None:
        return wanted
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORT))
        except OSError:
            return 0
    return PORT


async def _demo(settings: Settings, plan_seconds: int) -> None:
    async with running(settings) as server:
        made = await _loaded(server, plan_seconds)
        held = SyntheticClass(server, made.county)
        try:
            await held.start()
            with stop_asked() as asked:
                _introduce(server, made)
                shorten_pauses()
                await asked.wait()
            console.print(say_both("cli.stopping"))
        finally:
            await held.close()


async def _loaded(server: Running, plan_seconds: int) -> Demo:
    services = server.services
    with console.status(say_both("cli.demo_begins")) as status:

        def tell(step: str) -> None:
            text = say_both(f"cli.demo_{step}")
            status.update(text)
            console.print(f"  · {text}", markup=False)

        async def plan(county: str) -> int:
            return await plan_now(services, county, plan_seconds, lambda text: status.update(text))

        return await load_demo(services.store, services.clock, services.settings, plan, tell)


def _introduce(server: Running, made: Demo) -> None:
    """Teacher and classroom get different host names of this machine: their cookies do not meet in one browser."""
    other = server.url.replace("127.0.0.1", "localhost")
    people = [
        ("planner", server.url, made.planner),
        ("teacher", server.url, made.teacher),
        ("classroom", other, made.classrooms[0]),
        ("auditor", server.url, made.auditor),
        ("operator", server.url, made.operator),
        *(("classroom_too", other, token) for token in made.classrooms[1:2]),
        *(("watching", other, token) for token in made.watching[:1]),
    ]
    wide = Console(highlight=False, soft_wrap=True)  # a link that is broken into lines cannot be opened
    for person, base, token in people:
        words = Text()
        for language, style in zip(LANGUAGES, ("bold", "dim"), strict=True):
            words.append(say(language, f"cli.demo_link_{person}") + "  ", style=style)
        wide.print(Text("\n").append_text(words))
        wide.print(Text(f"  {base}/link/{token}", style="cyan"))
    wide.print()
    for language in LANGUAGES:
        wide.print(say(language, "cli.demo_hint", pin=made.pin, password=made.password), markup=False)
