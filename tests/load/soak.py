"""`make soak`: an hour of classes that open and close beside one that goes on; nothing may grow.

In every round some classes open. Their teacher comes back with a new connection in the middle, their pupils come and go, politely
or without a word, half of them over a line that loses packets and forgets addresses. Then all of them end, and when the relay has only the
steady class left, its memory, tasks and descriptors are noted, with the latency and the losses of the steady class.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from dataclasses import asdict, dataclass
from statistics import median

from media_line import BadLine
from media_repair import RepairingSubscriber

from media.benching.load import Load, play
from media.benching.machine import usage
from media.benching.relay_process import RelayProcess
from media.benching.witnesses import Counting
from media.clients.counting import CountOnlySubscriber
from media.clients.peer import Peer

STEADY = 20
CLASSES, PUPILS = 4, 4
LESSON = 25.0
LOSS = 0.05
CONSENT = 5.0
PATIENCE = 30.0
MAY_GROW_KIB = 8 * 1024
"""Of the relay's memory between the first third of the rounds and the last."""
MAY_GROW_MS = 5.0
QUIET = 0.02


@dataclass(frozen=True)
class Round:
    """The relay after a round, when it has only the steady class."""

    minute: float
    kib: int
    cpu: float
    waited_share: float
    """Of this round, the time in which the relay was ready and other work held its core: latency means nothing then."""
    tasks: int
    descriptors: int
    sessions: int
    rooms: int
    lost: int
    latency_ms_p50: float
    latency_ms_p99: float
    joins: int
    slots: int


class Soak:
    """One run."""

    def __init__(self, relay: RelayProcess, line: BadLine, seed: int) -> None:
        self.relay, self.line = relay, line
        self.chance = random.Random(seed)
        self.load = Load(STEADY)
        self.audience = Counting()
        self.joins = self._number = 0

    async def teach(self, room: int) -> tuple[Peer, asyncio.Task[None]]:
        """A teacher's connection and what it sends."""
        peer = Peer()
        await peer.connect(await self.relay.publish(room, peer.offer(sends=True)), patience=PATIENCE)
        return peer, asyncio.create_task(play([peer], self.load))

    async def lesson(self, room: int) -> None:
        """One class, from its teacher's coming to the last pupil's leaving."""
        teacher, sending = await self.teach(room)
        end = time.monotonic() + LESSON * self.chance.uniform(0.6, 1.0)
        pupils = [asyncio.create_task(self.pupil(room, end)) for _ in range(PUPILS)]
        await asyncio.sleep(LESSON / 3)
        again, sending_again = await self.teach(room)
        await stop(sending)
        await teacher.close(silently=self.chance.random() < 0.5)
        await asyncio.gather(*pupils)
        await stop(sending_again)
        await again.close(silently=self.chance.random() < 0.5)

    async def pupil(self, room: int, end: float) -> None:
        """Comes, stays some seconds and leaves, again and again."""
        while time.monotonic() < end:
            self.joins, self._number = self.joins + 1, self._number + 1
            stay = self.chance.uniform(1.0, 8.0)
            if self.chance.random() < 0.5:
                await self.far_pupil(room, self._number, stay)
            else:
                near = CountOnlySubscriber()
                answer = await self.relay.subscribe(room, self._number, near.offer())
                await near.connect(answer, patience=PATIENCE)
                await asyncio.sleep(stay)
                await near.close(silently=self.chance.random() < 0.5)

    async def far_pupil(self, room: int, number: int, stay: float) -> None:
        """Over the bad line."""
        far = RepairingSubscriber(round_trip=0.02)
        answer = await self.relay.subscribe(room, number, far.offer())
        await far.connect(self.line.through(answer), patience=PATIENCE)
        await asyncio.sleep(stay)
        await far.close()

    async def round(self, number: int, began: float) -> Round:
        """Classes open and close; what the relay is then."""
        started, first = time.monotonic(), usage(self.relay.pid)
        await self.audience.begin()
        await asyncio.gather(*(self.lesson(number * CLASSES + n + 1) for n in range(CLASSES)))
        found = await self.audience.end()
        self.line.rebind()
        async with asyncio.timeout(CONSENT + PATIENCE):
            while (await self.relay.health())["sessions"] > STEADY + 1:
                await asyncio.sleep(0.5)
        health, used = await self.relay.health(), usage(self.relay.pid)
        return Round(
            minute=round((time.monotonic() - began) / 60, 1),
            kib=used.kib,
            cpu=round(used.cpu, 1),
            waited_share=round((used.waited - first.waited) / (time.monotonic() - started), 3),
            tasks=health["tasks"],
            descriptors=health["descriptors"],
            sessions=health["sessions"],
            rooms=health["rooms"],
            lost=found["lost"],
            latency_ms_p50=found["added_latency_ms_p50"],
            latency_ms_p99=found["added_latency_ms_p99"],
            joins=self.joins,
            slots=(await self.relay.facts())["slots"],
        )


async def stop(task: asyncio.Task[None]) -> None:
    """Cancels and awaits."""
    task.cancel()
    await asyncio.wait({task})


def faults(rounds: list[Round]) -> list[str]:
    """What is wrong, in sentences; the first round, in which everything is used for the first time, is not compared."""
    found = [f"round {n}: {r.lost} packets of the steady class lost" for n, r in enumerate(rounds) if r.lost]
    third = max(1, (len(rounds) - 1) // 3)
    early, late = rounds[1 : 1 + third], rounds[-third:]
    for name in ("tasks", "descriptors", "sessions", "rooms"):
        before, after = (max(getattr(r, name) for r in part) for part in (early, late))
        if after > before:
            found.append(f"{name} grew from {before} to {after}")
    before_kib, after_kib = (median(r.kib for r in part) for part in (early, late))
    if after_kib - before_kib > MAY_GROW_KIB:
        found.append(f"memory grew from {before_kib} to {after_kib} KiB")
    before_ms, after_ms = (median(r.latency_ms_p50 for r in part) for part in (early, late))
    quiet = all(r.waited_share < QUIET for r in (*early, *late))
    if quiet and after_ms - before_ms > MAY_GROW_MS:
        found.append(f"latency grew from {before_ms} to {after_ms} ms")
    if not rounds[-1].slots:
        found.append("no evidence was told")
    return found


async def soak(minutes: float, seed: int) -> list[Round]:
    """Runs for so long, printing each round as a line of JSON."""
    relay = RelayProcess(Load(STEADY + 2 * CLASSES * PUPILS, rooms=2 * CLASSES), set(), consent_seconds=CONSENT)
    line = BadLine(("127.0.0.1", (await relay.health())["port"]), loss=LOSS, delay=0.01, seed=seed)
    await line.start()
    run, rounds, began = Soak(relay, line, seed), list[Round](), time.monotonic()
    teacher, sending = await run.teach(0)
    try:
        await run.audience.join(relay, run.load)
        while time.monotonic() - began < minutes * 60 or len(rounds) < 3:
            rounds.append(await run.round(len(rounds), began))
            print(json.dumps(asdict(rounds[-1])), flush=True)
    finally:
        await stop(sending)
        await run.audience.close()
        await teacher.close()
        line.close()
        await relay.close()
    return rounds


def main() -> None:
    """Exits with 1 where something grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    wrong = faults(asyncio.run(soak(arguments.minutes, arguments.seed)))
    print("\n".join(wrong) if wrong else "nothing grew")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
