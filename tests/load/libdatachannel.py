"""The relay with real subscribers that decrypt every packet: libdatachannel, by npm, on a developer's machine only.

npm install --prefix FOLDER node-datachannel
NODE_PATH=FOLDER/node_modules python tests/load/libdatachannel.py --subscribers 150 --seconds 8
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from media.benching.load import Load
from media.benching.machine import share_out
from media.benching.measuring import measure
from media.benching.relay_process import RelayProcess
from media.benching.targets import Target

PROGRAM = Path(__file__).with_suffix(".js")
PATIENCE = 120.0


class Node:
    """An `Audience` in a process of Node's."""

    def __init__(self, relay: RelayProcess) -> None:
        self._relay = relay
        self._process: asyncio.subprocess.Process | None = None
        self._first: list[int] = []

    async def join(self, target: Target, load: Load) -> None:
        """Brings them up one after the other."""
        self._process = await asyncio.create_subprocess_exec(
            "node",
            str(PROGRAM),
            str(load.subscribers),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 20,
        )
        async with asyncio.timeout(PATIENCE):
            for number in range(load.subscribers):
                answer = await self._relay.subscribe(number % load.rooms, number, (await self._hear())["offer"])
                self._say({"answer": answer})
            await self._hear()

    def _say(self, message: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _hear(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("node ended: is node-datachannel where NODE_PATH says?")
        found: dict[str, Any] = json.loads(line)
        return found

    async def _packets(self) -> list[int]:
        self._say({"count": True})
        found: list[int] = (await self._hear())["packets"]
        return found

    async def begin(self) -> None:
        """Notes where everybody is."""
        self._first = await self._packets()

    async def received(self) -> int:
        """Packets until now."""
        return sum(await self._packets())

    async def end(self) -> Mapping[str, Any]:
        """How many packets the worst, the median and the best subscriber got."""
        got = sorted(last - first for first, last in zip(self._first, await self._packets(), strict=True))
        return {"packets_worst": got[0], "packets_median": median(got), "packets_best": got[-1]}

    async def close(self) -> None:
        """Ends the process."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()


async def main() -> None:
    """Measures and prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=150)
    parser.add_argument("--seconds", type=float, default=8.0)
    arguments = parser.parse_args()
    load = Load(arguments.subscribers, arguments.seconds)
    ours, others = share_out()
    relay = RelayProcess(load, ours)
    try:
        figures = await measure(relay, load, others, Node(relay))
    finally:
        await relay.close()
    print(json.dumps(figures))


if __name__ == "__main__":
    asyncio.run(main())
