"""The relay, in a process of its own."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from media.benching.load import Load
from media.benching.machine import on_cores
from media.benching.pipes import Questions
from media.clients.counting import CountOnlySubscriber
from media.events import MediaEvent, PeerId, RecordingId, RoomId, SourceName
from media.orders import Record
from media.pauses import shorten_pauses
from media.relay import Relay
from media.values import RelayConfig

SOURCE = SourceName("lead")
LOOKS = 2.0
"""Seconds between two readings of the statistics that pages show."""


class _Pauses:
    """How long collections of garbage held everything up."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._began = 0.0
        gc.callbacks.append(self._notice)

    def _notice(self, phase: str, details: Mapping[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self.longest = max(self.longest, time.perf_counter() - self._began)


def _health(relay: Relay) -> dict[str, int]:
    totals = relay.totals()
    return {
        "port": relay.port,
        "rooms": totals.rooms,
        "sessions": totals.publishers + totals.subscribers + totals.unfinished,
        "tasks": len(asyncio.all_tasks()),
        "descriptors": len(os.listdir("/proc/self/fd")),
    }


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


async def _serve(pipe: Connection, load: Load, folder: Path, consent_seconds: float) -> None:
    slots = 0

    def on_event(event: MediaEvent) -> None:
        nonlocal slots
        slots += type(event).__name__ == "MediaSlot"

    rooms = [RoomId(f"r{number}") for number in range(load.rooms)]
    most = load.subscribers + load.rooms
    config = RelayConfig(
        max_subscribers=most,
        max_publishers=most,
        max_unfinished=most,
        consent_seconds=consent_seconds,
        folder=folder,
        must_stay_free=0,
    )
    relay = Relay(config, on_event)
    await relay.start()
    if load.record:
        for room in rooms:
            await relay.carry_out(Record(room, RecordingId(f"bench-{room}")))
    looking = asyncio.create_task(_look(relay, rooms), name="media-bench-looks")
    shorten_pauses()  # as `sanke serve` and `sanke relay` do
    questions, pauses = Questions(pipe), _Pauses()
    while (question := await questions.next()) is not None:
        kind, room, peer, offer = question
        if kind == "facts":
            totals = relay.totals()
            layers = [view for room in rooms for view in relay.snapshot(room).layers]
            pipe.send(
                {
                    "subscribers": totals.subscribers,
                    "send_failures": totals.send_failures,
                    "retransmitted": sum(view.retransmitted for view in layers),
                    "slots": slots,
                    "recorded_kib": _size(folder) // 1024,
                    "longest_gc_ms": round(pauses.longest * 1000, 2),
                }
            )
            pauses.longest = 0.0
        elif kind == "health":
            pipe.send(_health(relay))
        else:
            door = relay.publish if kind == "publish" else relay.subscribe
            pipe.send((await door(RoomId(f"r{room}"), SOURCE, PeerId(peer), offer)).sdp)
    looking.cancel()
    await asyncio.wait({looking})
    await relay.close()


async def _look(relay: Relay, rooms: Sequence[RoomId]) -> None:
    """Somebody has the page of every class open."""
    while True:
        await asyncio.sleep(LOOKS)
        for room in rooms:
            relay.snapshot(room)


def _serve_process(pipe: Connection, load: Load, consent_seconds: float) -> None:
    with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory(prefix="sanke-bench-") as folder:
        asyncio.run(_serve(pipe, load, Path(folder), consent_seconds))


class RelayProcess:
    """The relay as a `Target`. It serves what comes through a pipe until that closes."""

    ports = None

    def __init__(self, load: Load, cores: set[int], *, consent_seconds: float = 30.0) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve_process, args=(theirs, load, consent_seconds), daemon=True)
        with on_cores(cores):
            self._process.start()
        theirs.close()
        assert self._process.pid is not None
        self.pid = self._process.pid
        self._answers = Questions(self._pipe)
        self._asking = asyncio.Lock()

    async def _ask(self, kind: str, room: int = 0, peer: str = "", offer: str = "") -> Any:
        async with self._asking:
            self._pipe.send((kind, room, peer, offer))
            answer = await self._answers.next()
        if answer is None:
            raise RuntimeError("the relay's process ended")
        return answer

    async def publish(self, room: int, offer: str) -> str:
        """The relay's answer to a WHIP offer."""
        return str(await self._ask("publish", room, f"publisher-{room}", offer))

    async def join(self, room: int, number: int, subscriber: CountOnlySubscriber) -> None:
        """WHEP: the subscriber offers."""
        await subscriber.connect(await self.subscribe(room, number, subscriber.offer()))

    async def subscribe(self, room: int, number: int, offer: str) -> str:
        """The relay's answer to a WHEP offer."""
        return str(await self._ask("subscribe", room, f"s{number}", offer))

    async def facts(self) -> Mapping[str, Any]:
        """Counters of the relay."""
        found: Mapping[str, Any] = await self._ask("facts")
        return found

    async def health(self) -> Mapping[str, int]:
        """What must not grow: rooms, sessions, tasks, descriptors; and the relay's port."""
        found: Mapping[str, int] = await self._ask("health")
        return found

    async def close(self) -> None:
        """Closes the pipe, which ends the process."""
        self._answers.close()
        self._pipe.close()
        await asyncio.to_thread(self._process.join, 10)
        if self._process.is_alive():
            self._process.kill()
