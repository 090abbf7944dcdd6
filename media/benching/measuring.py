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
from statistics import quantiles
from typing import Any

from media.aiortc_bridge import Identity
from media.benching.janus import Janus, JanusUnusable
from media.benching.load import Load, publish_process
from media.benching.machine import Usage, on_cores, share_out, usage
from media.benching.pipes import Questions
from media.benching.relay_process import RelayProcess
from media.benching.targets import Target
from media.benching.witnesses import SAMPLE, Probe, Reader
from media.counting import CountOnlySubscriber

PROBES = 20
"""Subscribers whose every packet is timed, spread evenly over the order in which they joined."""
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


class _Audience:
    """All subscribers of a measurement."""

    def __init__(self) -> None:
        self.peers: list[CountOnlySubscriber] = []
        self.probes: list[Probe] = []
        self.walls_ms: list[float] = []
        self._reader = Reader()

    async def join(self, target: Target, load: Load) -> None:
        """Brings them up one after the other, class by class in turn."""
        identity, every = Identity(), max(1, load.subscribers // PROBES)
        for number in range(load.subscribers):
            probe = number // load.rooms % every == every // 2
            peer = Probe(identity) if probe else CountOnlySubscriber(identity, sample=SAMPLE)
            began = time.monotonic()
            await target.join(number % load.rooms, number, peer)
            self.walls_ms.append((time.monotonic() - began) * 1000)
            self.peers.append(peer)
            if isinstance(peer, Probe):
                self.probes.append(peer)
                peer.begin()
            self._reader.add(peer)

    @property
    def received(self) -> int:
        return sum(peer.packets for peer in self.peers)

    async def close(self) -> None:
        """Leaves without a word."""
        await self._reader.close()
        for peer in self.peers:
            await peer.close(silently=True)


async def _moment(target: Target, received: int) -> _Moment:
    facts = await target.facts()
    return _Moment(time.monotonic(), usage(target.pid), received, facts)


async def _measure(target: Target, load: Load, cores: set[int]) -> dict[str, Any]:
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    classes = context.Process(target=publish_process, args=(theirs, load, target.ports), daemon=True)
    with on_cores(cores):
        classes.start()
    theirs.close()
    said, audience = Questions(pipe), _Audience()
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
    target: Target, load: Load, audience: _Audience, before: _Moment, joined: _Moment, cores: set[int]
) -> dict[str, Any]:
    gc.collect()
    gc.freeze()  # the subscribers are as many objects; collecting them again and again would hold the counting up
    with on_cores(cores):
        await asyncio.sleep(min(SETTLING, load.seconds))
        for probe in audience.probes:
            probe.timing = True
        first = await _moment(target, audience.received)
        await asyncio.sleep(load.seconds)
        last = await _moment(target, audience.received)
        for probe in audience.probes:
            probe.timing = False
        await asyncio.sleep(0.3)
    gc.unfreeze()
    return _figures(load, (before, joined, first, last), audience)


def _figures(load: Load, moments: Sequence[_Moment], audience: _Audience) -> dict[str, Any]:
    before, joined, first, last = moments
    elapsed, received = last.at - first.at, max(1, last.received - first.received)
    cpu = last.usage.cpu - first.usage.cpu
    delays = quantiles([delay for probe in audience.probes for delay in probe.delays_ms] or [0.0, 0.0], n=100)
    walls = audience.walls_ms
    wall = quantiles(walls if len(walls) > 1 else [*walls, *walls], n=20)
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
        "join_wall_ms_p50": round(wall[9], 1),
        "join_wall_ms_p95": round(wall[18], 1),
        "kib_per_subscriber": round((joined.usage.kib - before.usage.kib) / load.subscribers, 1),
        "lost": sum(peer.lost for peer in audience.peers),
        "samples": sum(peer.sampled for peer in audience.peers),
        "bad_samples": sum(peer.bad_samples for peer in audience.peers),
        "added_latency_ms_p50": round(delays[49], 2),
        "added_latency_ms_p90": round(delays[89], 2),
        "added_latency_ms_p99": round(delays[98], 2),
        "cipher": audience.peers[-1].peer.channel.cipher,
        **last.facts,
    }


async def _measure_relay(load: Load) -> dict[str, Any]:
    ours, others = share_out()
    relay = RelayProcess(load, ours)
    try:
        return await _measure(relay, load, others)
    finally:
        await relay.close()


async def _measure_janus(load: Load) -> dict[str, Any]:
    ours, others = share_out()
    janus = Janus(load, ours)
    try:
        await janus.start()
        return await _measure(janus, load, others)
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
