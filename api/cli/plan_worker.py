"""``sanke plan-worker``: plans counties that a server puts into the queue, on any machine that reaches its database and Redis."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number
from rich.console import Console

from api.cli.running import WRONG, refuse, running_settings, starting_told, stop_asked, store_open
from config import VERSION
from config.settings import Settings
from config.words import say_both
from rooms.clock import SystemClock
from rooms.planning.jobs import PlanJobs
from rooms.planning.queue import open_broker

console = Console(highlight=False, soft_wrap=True)


def plan_worker(
    *, jobs: Annotated[int | None, Parameter(validator=Number(gte=1))] = None, data_dir: Path | None = None
) -> None:
    """Plan counties from the server's queue until asked to stop. 排课工作进程：从服务器的队列中取县排课。

    Parameters
    ----------
    jobs
        Counties planned at once; otherwise `SANKE_PLAN_JOBS`, at least one. 同时排课的县数。
    data_dir
        Folder of the database, where that is SQLite. 数据目录。
    """
    settings = running_settings(data_dir=data_dir)
    if not settings.redis_url.get_secret_value():
        refuse(WRONG, "worker_needs_redis")
    with starting_told():
        asyncio.run(_work(settings.model_copy(update={"plan_jobs": jobs or max(1, settings.plan_jobs)})))


async def _work(settings: Settings) -> None:
    async with store_open(settings) as store:
        jobs = PlanJobs(store, SystemClock(), settings, open_broker(settings.redis_url.get_secret_value()))
        try:
            with stop_asked() as asked:
                await jobs.start()
                console.print(say_both("cli.worker_ready", version=VERSION, name=jobs.owner, jobs=settings.plan_jobs))
                await asked.wait()
            console.print(say_both("cli.stopping"))
        finally:
            await jobs.close()
