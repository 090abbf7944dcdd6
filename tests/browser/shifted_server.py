"""A server process of its own whose clock is shifted, so that it is a school morning whenever the tests run.

``python -m shifted_server SHIFT_SECONDS`` with the settings in the environment; prints its address when it listens. Every
line it is sent is a number of seconds that pass at once.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from shifted_clock import ShiftedClock

from api.cli.running import stop_asked
from api.server import running
from config.logs import configure_logs
from config.settings import Settings


async def main(shift: float) -> None:
    """Serves until it is asked to stop."""
    settings, clock = Settings(), ShiftedClock(shift)
    loop = asyncio.get_running_loop()

    def forward() -> None:
        if line := sys.stdin.readline():
            clock.shift += timedelta(seconds=float(line))
        else:
            loop.remove_reader(sys.stdin)

    loop.add_reader(sys.stdin, forward)
    configure_logs(settings.log_format, settings.log_level)
    async with running(settings, clock=clock) as server:
        print(f"{server.local_url} {server.services.relay.port}", flush=True)
        with stop_asked() as asked:
            await asked.wait()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
