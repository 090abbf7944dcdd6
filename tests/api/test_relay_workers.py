"""Live classes on relay workers: which one, what happens when it dies, is emptied or forgotten, and what is kept."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from class_of_clients import Client, until, until_true
from cluster_world import Cluster, Row, clustered

pytestmark = pytest.mark.parametrize("database", ["postgresql", "sqlite"], indirect=True)


@pytest.fixture
async def cluster(store_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Cluster]:
    async with clustered(store_url, redis_url, tmp_path) as made:
        yield made


async def settled(lead: Client, classes: list[Client], after: float = 0.0) -> None:
    """Media flows to everybody, since that moment."""
    await until(
        lambda: all(each.sessions and each.heard_at > max(after, time.monotonic() - 0.6) for each in (lead, *classes))
    )


async def test_a_killed_workers_class_comes_back_and_no_evidence_is_lost(cluster: Cluster) -> None:
    async with cluster.class_in_session() as (lead, classes):
        await settled(lead, classes)
        await until_true(lambda: _slots_of_all(cluster, classes))
        first = await cluster.origin()
        assert {each.worker for each in (lead, *classes)} == {first}
        acknowledged = await cluster.evidence()
        killed = time.monotonic()
        await cluster.end_worker(first, signal.SIGKILL)
        await until(lambda: all(each.sessions > 1 for each in (lead, *classes)), 10)
        await settled(lead, classes, killed)
        assert {each.worker for each in (lead, *classes)} == {await cluster.origin()} == set(cluster.workers)
        rows = await cluster.evidence()
        assert_kept(acknowledged, rows)
        await until_true(lambda: _slots_of_all(cluster, classes, since=len(rows)))


def assert_kept(acknowledged: list[Row], rows: list[Row]) -> None:
    """What was committed is there, once; and a session's slots never overlap."""
    assert len({row.event for row in rows}) == len(rows)
    assert set(acknowledged) <= set(rows)
    slots = sorted((row.session, row.at, row.until) for row in rows if row.until is not None)
    assert all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(slots))


async def _slots_of_all(cluster: Cluster, classes: list[Client], since: int = 0) -> bool:
    rows = (await cluster.evidence())[since:]
    return {each.side for each in classes} <= {row.side for row in rows if row.kind == "slot"}
