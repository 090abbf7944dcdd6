"""Figures for Prometheus: one registry for each server, so that two in one process do not meet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from rooms.cluster import Worker

log = structlog.get_logger("api")

QUIET = ("/static", "/healthz")
"""Routes that are counted and not logged: proxies and service managers ask every other second."""


@dataclass(slots=True)
class Seen:
    """What became of a request."""

    status: int = 500


class Metrics:
    """The server's figures; `text` is what ``/metrics`` answers."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "sanke_http_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "sanke_http_seconds", "Time to answer", ["route"], registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )  # fmt: skip
        self.sessions = Gauge("sanke_media_sessions", "Live media sessions", ["role"], registry=self.registry)
        self.log_size = Gauge("sanke_audit_entries", "Entries of the audit log", registry=self.registry)

    @contextmanager
    def request(self, request: web.Request) -> Iterator[Seen]:
        """Counts and logs one request; the route's pattern stands for the path, which may hold a token."""
        seen, began = Seen(), time.perf_counter()
        try:
            yield seen
        finally:
            resource = request.match_info.route.resource
            route = resource.canonical if resource is not None else "unknown"
            took = time.perf_counter() - began
            self.requests.labels(request.method, route, str(seen.status)).inc()
            self.seconds.labels(route).observe(took)
            if not route.startswith(QUIET):
                log.info("request", method=request.method, route=route, status=seen.status, ms=round(took * 1000, 1))

    def add_workers(self, seen: Callable[[], Sequence[Worker]]) -> None:
        """From now on tells of the relay workers, too, as they are seen when somebody asks."""
        self.registry.register(_Workers(seen))

    def text(self) -> bytes:
        return generate_latest(self.registry)


class _Workers(Collector):
    """What the relay workers say of themselves."""

    def __init__(self, seen: Callable[[], Sequence[Worker]]) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        workers = self._seen()
        yield GaugeMetricFamily("sanke_relay_workers", "Relay workers that are alive", len(workers))
        rooms = GaugeMetricFamily("sanke_relay_rooms", "Rooms on a relay worker", labels=["url"])
        load = GaugeMetricFamily(
            "sanke_relay_load", "Share of a relay worker's subscribers that is taken", labels=["url"]
        )
        for each in workers:
            rooms.add_metric([each.url], each.rooms)
            load.add_metric([each.url], each.subscribers / max(1, each.capacity))
        yield rooms
        yield load
