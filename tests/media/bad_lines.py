"""`make lines`: a class over bad lines, as JSON. Every line loses the share in both directions and takes 300 ms there and back.

The teacher's own line is as bad in a run of its own, which tells how much of the sound reaches the relay (`uplink_audio`).
A join begins with the offer, which takes one round trip as a request over HTTP would, and ends with the first packet of sound.
A packet of sound is delivered when it came, first or sent again after a NACK, within a second of the moment its absence was
noticed; all packets between the first and the last that could have come are expected.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from media_line import BadLine, Impairment
from media_link import open_link_page
from media_page import chromium
from media_repair import PAYLOAD_TYPES, RepairingSubscriber

from media.clients.synthetic import SyntheticPublisher
from media.events import PeerId, RoomId, SourceName
from media.relay import Relay
from media.values import RelayConfig

ROOM, LEAD = RoomId("room"), SourceName("lead")
ROUND_TRIP = 0.3
COUNTED = ("packetsReceived", "packetsLost", "concealedSamples", "totalSamplesReceived")
DISTURBED = 300
"""Milliseconds that the event loop may be late at worst; a run on a machine too busy for that is measured again, twice at most."""
TARGETS = {0.0: (3.0, 0.99), 0.05: (3.0, 0.99), 0.1: (5.0, 0.97), 0.2: (10.0, 0.9)}
"""Loss → (95th percentile of joins in seconds, share of sound delivered)."""


async def one_class(line: BadLine, relay: Relay, name: str, seconds: float) -> tuple[float, RepairingSubscriber]:
    """A classroom joins and listens; the seconds its join took."""
    pupil = RepairingSubscriber(round_trip=ROUND_TRIP)
    began = time.monotonic()
    try:
        await asyncio.sleep(ROUND_TRIP)
        answer = await relay.subscribe(ROOM, LEAD, PeerId(name), pupil.offer())
        await pupil.connect(line.through(answer.sdp), patience=30)
        while pupil.first_at is None:
            await asyncio.sleep(0.01)
        await asyncio.sleep(seconds)
    finally:
        await pupil.close()
    return pupil.first_at - began, pupil


async def uplink(impairment: Impairment, *, seed: int, seconds: float) -> float:
    """The share of a teacher's sound that reaches the relay over the line, first or after the relay's NACKs."""
    relay = Relay(RelayConfig(), lambda event: None)
    await relay.start()
    line = BadLine(("127.0.0.1", relay.port), impairment, seed=seed)
    await line.start()
    teacher = SyntheticPublisher()

    async def post(offer: str) -> str:
        return line.through((await relay.publish(ROOM, LEAD, PeerId("teacher"), offer)).sdp)

    await teacher.start(post)
    await asyncio.sleep(seconds + 1.5)
    sound = next(layer for layer in relay.snapshot(ROOM).layers if layer.kind == "audio")
    await teacher.close()
    await relay.close()
    line.close()
    return round(sound.packets / (sound.packets + sound.lost), 4)


async def watch_turns(slowest: list[float]) -> None:
    """Notes the event loop's longest delay: where the machine had no time, the line is not to blame."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.01)
        slowest[0] = max(slowest[0], time.monotonic() - before - 0.01)


async def measure(
    impairment: Impairment, *, seed: int, joins: int, seconds: float, apart: float = 0.05
) -> dict[str, Any]:
    """One class with so many classrooms, each of which joins by itself and listens for so long."""
    relay = Relay(RelayConfig(), lambda event: None)
    await relay.start()
    teacher = SyntheticPublisher()

    async def post(offer: str) -> str:
        return (await relay.publish(ROOM, LEAD, PeerId("teacher"), offer)).sdp

    await teacher.start(post)
    line = BadLine(("127.0.0.1", relay.port), impairment, seed=seed)
    await line.start()

    async def later(number: int) -> tuple[float, RepairingSubscriber]:
        await asyncio.sleep(number * apart)
        return await one_class(line, relay, f"class-{number}", seconds)

    slowest = [0.0]
    watcher = asyncio.create_task(watch_turns(slowest))
    uplinked = asyncio.create_task(uplink(impairment, seed=seed + 1000, seconds=seconds))
    outcomes = await asyncio.gather(*(later(number) for number in range(joins)), return_exceptions=True)
    watcher.cancel()
    await asyncio.wait({watcher})
    await teacher.close()
    await relay.close()
    line.close()
    done = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    if not done:
        raise AssertionError(outcomes)
    times = sorted(took for took, _ in done)
    result: dict[str, Any] = {
        "seed": seed,
        "joins": joins,
        "failed": joins - len(done),
        "slowest_turn_ms": round(1000 * slowest[0]),
        "join_p50": round(statistics.median(times), 2),
        "join_p95": round(times[min(len(times) - 1, int(0.95 * len(times)))], 2),
        "join_max": round(times[-1], 2),
        "line_lost": round(
            (line.there.tally["lost"] + line.back.tally["lost"]) / (line.there.tally["sent"] + line.back.tally["sent"]),
            4,
        ),
    }
    result["uplink_audio"] = await uplinked
    for kind in ("OPUS", "H264"):
        counts = [p.streams[PAYLOAD_TYPES[kind]] for _, p in done if PAYLOAD_TYPES[kind] in p.streams]
        came, expected = (sum(c.settled[i] for c in counts) for i in (0, 1))
        result[{"OPUS": "audio", "H264": "video"}[kind]] = {
            "expected": expected,
            "delivered": round(came / expected, 4) if expected else None,
            "repaired": sum(c.repaired for c in counts),
        }
    return result


def gaps_told(gaps: list[float]) -> dict[str, Any]:
    """The quantiles of seconds without media after a change of address."""
    ordered = sorted(gaps)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {
        "times": len(gaps),
        "p50": round(statistics.median(gaps), 2),
        "p95": round(p95, 2),
        "max": round(ordered[-1], 2),
    }


async def rebinding_classrooms(line: BadLine, times: int) -> dict[str, Any]:
    """The NAT of a receiving page forgets its mapping, again and again: how long until the relay's media finds the new one."""
    for number in range(times):
        line.rebind()
        while len(line.gaps) == number:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.7 + 0.37 * (number % 3))  # not in step with the browser's own checks
    return gaps_told(line.gaps)


async def rebinding_teacher(times: int) -> dict[str, Any]:
    """The same for a publishing page: how long until the relay takes its sound from the new address."""
    relay = Relay(RelayConfig(), lambda event: None)
    await relay.start()
    line = BadLine(("127.0.0.1", relay.port), delay=ROUND_TRIP / 2)
    await line.start()

    def sound() -> int:
        return sum(layer.packets for layer in relay.snapshot(ROOM).layers if layer.kind == "audio")

    gaps = []
    async with chromium() as browser:
        page = await open_link_page(browser, relay, line)
        await page.evaluate("publish('teacher')")
        while sound() < 50:
            await asyncio.sleep(0.02)
        for number in range(times):
            line.rebind()
            began = time.monotonic()
            await asyncio.sleep(ROUND_TRIP / 2 + 0.02)  # what was under way still arrives under the old address
            before = sound()
            while sound() < before + 3:
                await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - began)
            await asyncio.sleep(0.7 + 0.37 * (number % 3))
    await relay.close()
    line.close()
    return gaps_told(gaps)


async def in_chromium(impairment: Impairment, *, seed: int, joins: int, seconds: float, rebinds: int) -> dict[str, Any]:
    """The classroom page's own link: joins one after the other, each listens for so long; then the last one's address changes."""
    relay = Relay(RelayConfig(), lambda event: None)
    await relay.start()
    teacher = SyntheticPublisher()

    async def post(offer: str) -> str:
        return (await relay.publish(ROOM, LEAD, PeerId("teacher"), offer)).sdp

    await teacher.start(post)
    line = BadLine(("127.0.0.1", relay.port), impairment, seed=seed)
    await line.start()
    times: list[float] = []
    total: Counter[str] = Counter()
    async with chromium() as browser:
        page = await open_link_page(browser, relay, line)
        for number in range(joins):
            name, began = f"class-{number}", time.monotonic()
            await page.evaluate(f"subscribe('{name}')")
            while not (await page.evaluate(f"stats('{name}')")).get("audio", {}).get("packetsReceived"):
                await asyncio.sleep(0.03)
            times.append(time.monotonic() - began)
            await asyncio.sleep(seconds)
            found = await page.evaluate(f"stats('{name}')")
            total.update({key: found["audio"][key] for key in COUNTED} | {"sessions": found["sessions"]})
            if number < joins - 1:
                await page.evaluate(f"links['{name}'].stop()")
        rebinding = await rebinding_classrooms(line, rebinds) if rebinds else None
    await teacher.close()
    await relay.close()
    line.close()
    expected = total["packetsReceived"] + total["packetsLost"]
    audio = {
        "expected": expected,
        "delivered": round(total["packetsReceived"] / expected, 4),
        "concealed": round(total["concealedSamples"] / total["totalSamplesReceived"], 4),
    }
    result = {"client": "Chromium", "seed": seed, "joins": joins, "sessions": total["sessions"], "audio": audio}
    result |= {"join_p50": round(statistics.median(times), 2), "join_max": round(max(times), 2)}
    if rebinding is not None:
        result["rebinding"] = {"classroom": rebinding, "teacher": await rebinding_teacher(rebinds)}
    return result


async def browser_matrix(joins: int, seconds: float, *, losses: Sequence[float]) -> bool:
    """Chromium at these loss rates, and twenty changes of address on the line that only delays."""
    good = True
    for loss, (slowest, share) in ((loss, TARGETS[loss]) for loss in losses):
        impairment = Impairment(loss=loss, delay=ROUND_TRIP / 2, jitter=0.01)
        found = await in_chromium(impairment, seed=1, joins=joins, seconds=seconds, rebinds=0 if loss else 20)
        met = found["join_max"] <= slowest and found["audio"]["delivered"] >= share
        met = met and all(gaps["p95"] <= 3.0 for gaps in found.get("rebinding", {}).values())
        good = good and met
        print(json.dumps({"loss": loss, "met": met} | found), flush=True)
    return good


async def matrix(seeds: int, joins: int, seconds: float, *, losses: Sequence[float], bursts: bool) -> bool:
    """These loss rates with all seeds; True where every one meets its targets."""
    good = True
    for loss, (slowest, share) in ((loss, TARGETS[loss]) for loss in losses):
        impairment = Impairment(loss=loss, delay=ROUND_TRIP / 2, jitter=0.01)
        if bursts:  # bad spells of three datagrams on average that lose the same share
            impairment = Impairment(bursts=(loss / 3 / (1 - loss), 1 / 3), delay=ROUND_TRIP / 2, jitter=0.01)
        for seed in range(1, seeds + 1):
            for _ in range(3):
                found = await measure(impairment, seed=seed, joins=joins, seconds=seconds)
                if found["slowest_turn_ms"] < DISTURBED:
                    break
                print(json.dumps({"disturbed": True, "loss": loss} | found), file=sys.stderr)
            met = (
                not found["failed"]
                and found["join_p95"] <= slowest
                and min(found["audio"]["delivered"], found["uplink_audio"]) >= share
            )
            good = good and met
            print(json.dumps({"loss": loss, "bursts": bursts, "met": met} | found), flush=True)
    return good


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--joins", type=int, default=25)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--bursts", action="store_true", help="the same losses in bad spells of three on average")
    parser.add_argument("--chromium", action="store_true", help="the classroom page's own link instead of plain peers")
    parser.add_argument("--loss", type=float, nargs="*", choices=list(TARGETS), help="these shares alone")
    asked = parser.parse_args()
    if asked.chromium:
        sys.exit(not asyncio.run(browser_matrix(10, asked.seconds, losses=asked.loss or list(TARGETS))))
    losses = asked.loss or [loss for loss in TARGETS if loss]
    sys.exit(not asyncio.run(matrix(asked.seeds, asked.joins, asked.seconds, losses=losses, bursts=asked.bursts)))
