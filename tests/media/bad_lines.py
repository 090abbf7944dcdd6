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
from typing import Any

from media_line import BadLine, Impairment
from media_link import open_link_page
from media_page import chromium
from media_repair import PAYLOAD_TYPES, RepairingSubscriber

from media.events import PeerId, RoomId, SourceName
from media.relay import Relay
from media.synthetic import SyntheticPublisher
from media.values import RelayConfig

ROOM, LEAD = RoomId("room"), SourceName("lead")
ROUND_TRIP = 0.3
TARGETS = {0.05: (3.0, 0.99), 0.1: (5.0, 0.97), 0.2: (10.0, 0.9)}
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

    uplinked = asyncio.create_task(uplink(impairment, seed=seed + 1000, seconds=seconds))
    outcomes = await asyncio.gather(*(later(number) for number in range(joins)), return_exceptions=True)
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
    times, came, lost, concealed, played, sessions = [], 0, 0, 0, 0, 0
    async with chromium() as browser:
        page = await open_link_page(browser, relay, line)
        for number in range(joins):
            began = time.monotonic()
            await page.evaluate(f"subscribe('class-{number}')")
            while not (await page.evaluate(f"stats('class-{number}')")).get("audio", {}).get("packetsReceived"):
                await asyncio.sleep(0.03)
            times.append(time.monotonic() - began)
            await asyncio.sleep(seconds)
            found = await page.evaluate(f"stats('class-{number}')")
            sound, sessions = found["audio"], sessions + found["sessions"]
            came, lost = came + sound["packetsReceived"], lost + sound["packetsLost"]
            concealed, played = concealed + sound["concealedSamples"], played + sound["totalSamplesReceived"]
            if number < joins - 1:
                await page.evaluate(f"links['class-{number}'].stop()")
        for number in range(rebinds):
            line.rebind()
            while len(line.gaps) == number:
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.7 + 0.31 * number % 2)  # not in step with the browser's own checks
        found = await page.evaluate(f"stats('class-{joins - 1}')")
        sessions += found["sessions"] - 1
    await teacher.close()
    await relay.close()
    line.close()
    result = {
        "client": "Chromium",
        "seed": seed,
        "joins": joins,
        "sessions": sessions,
        "join_p50": round(statistics.median(times), 2),
        "join_max": round(max(times), 2),
        "audio": {
            "expected": came + lost,
            "delivered": round(came / (came + lost), 4),
            "concealed": round(concealed / played, 4),
        },
    }
    if rebinds:
        gaps = sorted(line.gaps)
        result["rebinding"] = {
            "times": rebinds,
            "p50": round(statistics.median(gaps), 2),
            "p95": round(gaps[int(0.95 * len(gaps))], 2),
            "max": round(gaps[-1], 2),
        }
    return result


async def browser_matrix(joins: int, seconds: float) -> bool:
    """Chromium at every loss rate, and twenty changes of address on a line that only delays."""
    good = True
    for loss, (slowest, share) in {0.0: (3.0, 0.99), **TARGETS}.items():
        impairment = Impairment(loss=loss, delay=ROUND_TRIP / 2, jitter=0.01)
        found = await in_chromium(impairment, seed=1, joins=joins, seconds=seconds, rebinds=0 if loss else 20)
        met = found["join_max"] <= slowest and found["audio"]["delivered"] >= share
        met = met and found.get("rebinding", {}).get("p95", 0) <= 3.0
        good = good and met
        print(json.dumps({"loss": loss, "met": met} | found), flush=True)
    return good


async def matrix(seeds: int, joins: int, seconds: float, *, bursts: bool) -> bool:
    """All loss rates with all seeds; True where every one meets its targets."""
    good = True
    for loss, (slowest, share) in TARGETS.items():
        impairment = Impairment(loss=loss, delay=ROUND_TRIP / 2, jitter=0.01)
        if bursts:  # bad spells of three datagrams on average that lose the same share
            impairment = Impairment(bursts=(loss / 3 / (1 - loss), 1 / 3), delay=ROUND_TRIP / 2, jitter=0.01)
        for seed in range(1, seeds + 1):
            found = await measure(impairment, seed=seed, joins=joins, seconds=seconds)
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
    parser.add_argument("--joins", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--bursts", action="store_true", help="the same losses in bad spells of three on average")
    parser.add_argument("--chromium", action="store_true", help="the classroom page's own link instead of plain peers")
    asked = parser.parse_args()
    if asked.chromium:
        sys.exit(not asyncio.run(browser_matrix(10, asked.seconds)))
    sys.exit(not asyncio.run(matrix(asked.seeds, asked.joins, asked.seconds, bursts=asked.bursts)))
