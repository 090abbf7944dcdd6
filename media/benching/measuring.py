"""One measurement: a target in a process of its own, the classes in another, the subscribers in this one.

Every subscriber does the full ICE check and DTLS handshake, reports like a browser, and has a sample of its packets proved.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from media.benching.janus import Janus, JanusUnusable
from media.benching.load import Load, publish_process
from media.benching.machine import Usage, on_cores, share_out, usage
from media.benching.pipes import Questions
from media.benching.relay_process import RelayProcess
from media.benching.targets import Audience, Target
from media.benching.witnesses import Counting

SETTLING = 2.0
JANUS_SUBSCRIBERS = 150
"""About as much of a core as four times as many take of the relay."""


@dataclass(frozen=True, slots=True)
class _Moment:
    """What the target's process had used, and what had been received, at a moment."""

    at: float
    usage: Usage
    received: int
    facts: Mapping[str, Any]


async def _moment(target: Target, received: int) -> _Moment:
    facts = await target.facts()
    return _Moment(time.monotonic(), usage(target.pid), received, facts)


async def measure(target: Target, load: Load, cores: set[int], audience: Audience) -> dict[str, Any]:
    """The figures of one target, whose classes and subscribers run on these cores. Ends the audience, not the target."""
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    classes = context.Process(target=publish_process, args=(theirs, load, target.ports), daemon=True)
    with on_cores(cores):
        classes.start()
    theirs.close()
    said = Questions(pipe)
    try:
        offers = await said.next() or ()
        pipe.send([await target.publish(room, offer) for room, offer in enumerate(offers)])
        if await said.next() is None:
            raise RuntimeError("the classes' process ended")
        await asyncio.sleep(0.2)
        before = await _moment(target, 0)
        with on_cores(cores):
            await audience.join(target, load)
        joined = await _moment(target, 0)
        pipe.send("begin")
        return await _observe(target, load, audience, before, joined, cores)
    finally:
        said.close()
        pipe.close()
        await audience.close()
        await asyncio.to_thread(classes.join, 10)
        if classes.is_alive():
            classes.kill()


async def _observe(
    target: Target, load: Load, audience: Audience, before: _Moment, joined: _Moment, cores: set[int]
) -> dict[str, Any]:
    gc.collect()
    gc.freeze()  # the subscribers are as many objects; collecting them again and again would hold the counting up
    with on_cores(cores):
        await asyncio.sleep(min(SETTLING, load.seconds))
        await audience.begin()
        first = await _moment(target, await audience.received())
        await asyncio.sleep(load.seconds)
        last = await _moment(target, await audience.received())
        found = await audience.end()
    gc.unfreeze()
    return {**_figures(load, (before, joined, first, last)), **found, **last.facts}


def _figures(load: Load, moments: Sequence[_Moment]) -> dict[str, Any]:
    before, joined, first, last = moments
    elapsed, received = last.at - first.at, max(1, last.received - first.received)
    cpu = last.usage.cpu - first.usage.cpu
    return {
        "subscribers": load.subscribers,
        "seconds": round(elapsed, 1),
        "packets_per_second": round(received / elapsed),
        "packets_per_second_each": round(received / elapsed / load.subscribers, 1),
        "cpu_share": round(cpu / elapsed, 3),
        "waited_for_core_share": round((last.usage.waited - first.usage.waited) / elapsed, 3),
        "us_per_packet": round(cpu / received * 1e6, 2),
        "us_per_packet_in_kernel": round((last.usage.system - first.usage.system) / received * 1e6, 2),
        "subscribers_per_core": round(load.subscribers / max(1e-6, cpu / elapsed)),
        "join_cpu_ms": round((joined.usage.cpu - before.usage.cpu) / load.subscribers * 1000, 2),
        "kib_per_subscriber": round((joined.usage.kib - before.usage.kib) / load.subscribers, 1),
    }


async def _measure_relay(load: Load) -> dict[str, Any]:
    ours, others = share_out()
    relay = RelayProcess(load, ours)
    try:
        return await measure(relay, load, others, Counting())
    finally:
        await relay.close()


async def _measure_janus(load: Load) -> dict[str, Any]:
    ours, others = share_out()
    janus = Janus(load, ours)
    try:
        await janus.start()
        return await measure(janus, load, others, Counting())
    finally:
        await janus.close()


@contextmanager
def _leaving_nothing_behind() -> Iterator[None]:
    """Being told to stop (SIGTERM) ends the other processes too."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def bench_relay(load: Load, *, janus_subscribers: int | None = JANUS_SUBSCRIBERS) -> dict[str, Any]:
    """Measures the relay, then Janus with the same classes and `janus_subscribers` (None: not at all), and returns the figures.

    ``packets_per_second`` are received; ``cpu_share`` is of one core, ``waited_for_core_share`` the time the target was
    ready while other work held its core; ``subscribers_per_core`` extrapolated; ``join_cpu_ms`` the target's own,
    ``join_wall_ms_*`` both ends on this machine; ``bad_samples`` out of ``samples`` could not be proved;
    ``added_latency_ms_*`` from the publisher's call to the receiver's kernel. ``janus`` has the same figures, or is None for
    the reason in ``janus_unused``; ``times_janus`` compares the subscribers a core. Raises RuntimeError where the relay ended.
    """
    with _leaving_nothing_behind():
        return _side_by_side(load, janus_subscribers)


def _side_by_side(load: Load, janus_subscribers: int | None) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "publisher": load.publisher,
        "rooms": load.rooms,
        "record": load.record,
        **asyncio.run(_measure_relay(load)),
    }
    figures |= {"janus": None, "janus_unused": None, "times_janus": None}
    if janus_subscribers is None:
        return figures | {"janus_unused": "not asked for"}
    theirs = Load(min(load.subscribers, janus_subscribers), load.seconds, load.rooms, load.publisher)
    try:
        figures["janus"] = asyncio.run(_measure_janus(theirs))
    except (JanusUnusable, OSError) as error:
        return figures | {"janus_unused": str(error)}
    ratio = figures["subscribers_per_core"] / figures["janus"]["subscribers_per_core"]
    return figures | {"times_janus": round(ratio, 2)}
