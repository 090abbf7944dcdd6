"""The process that reads an encoder never outlives who started it."""

from __future__ import annotations

import asyncio
import signal

from media.encoders.process import Reading, reading


async def test_it_is_gone_however_often_its_reader_is_cancelled() -> None:
    async def read() -> None:
        async with reading({}) as process:
            processes.append(process)
            started.set()
            await asyncio.Event().wait()

    processes, started = list[Reading](), asyncio.Event()
    task = asyncio.create_task(read())
    await started.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.wait({task})
    assert task.cancelled()
    assert [each._process.returncode for each in processes] == [-signal.SIGKILL]
