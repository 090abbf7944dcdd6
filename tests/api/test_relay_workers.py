"""Live classes on relay workers: which one, what happens when it dies, is emptied or forgotten, and what is kept."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest
from api_world import PAGE
from class_of_clients import Client
from cluster_world import SHARE, Cluster, Crew, Row, clustered
from waiting import SOON, until

from api.encoders import post_offer
from api.media import SDP
from media.clients.peer import Peer
from media.errors import RelayError
from media.recording.folder import read_playlist
from rooms.recordings import RecordingView, recordings_of


@pytest.fixture(scope="module")
def sqlite_crew(sqlite_template: Path, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    folder = tmp_path_factory.mktemp("crew")
    shutil.copy(sqlite_template, folder / "sanke.db")
    crew = Crew(f"sqlite+aiosqlite:///{folder / 'sanke.db'}", redis_url, folder)
    yield crew
    crew.close()


@pytest.fixture
async def cluster(sqlite_crew: Crew) -> AsyncIterator[Cluster]:
    async with clustered(sqlite_crew) as made:
        yield made


KILLS = int(os.environ.get("RELAY_KILLS", "1"))
"""`make relay-kills` tries fifty."""


async def settled(lead: Client, classes: list[Client], after: float = 0.0) -> None:
    """Media flows to everybody, since that moment."""
    await until(
        lambda: all(each.sessions and each.heard_at > max(after, time.monotonic() - 0.6) for each in (lead, *classes))
    )


def assert_kept(acknowledged: list[Row], rows: list[Row]) -> None:
    """What was committed is there, once; and a session's slots never overlap."""
    assert len({row.event for row in rows}) == len(rows)
    assert set(acknowledged) <= set(rows)
    slots = sorted((row.session, row.at, row.until) for row in rows if row.until is not None)
    assert all(a[0] != b[0] or a[2] <= b[1] for a, b in pairwise(slots))


async def _slots_of_all(cluster: Cluster, classes: list[Client], since: int = 0) -> bool:
    rows = (await cluster.evidence())[since:]
    return {each.side for each in classes} <= {row.side for row in rows if row.kind == "slot"}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
async def test_a_killed_workers_class_comes_back_and_no_evidence_is_lost(
    store_url: str, redis_url: str, tmp_path: Path
) -> None:
    random, crew, back, kept = Random(1), Crew(store_url, redis_url, tmp_path), list[float](), 0
    try:
        async with clustered(crew) as cluster, cluster.class_in_session() as (lead, classes):
            await record(cluster)
            for number in range(KILLS):
                await crew.at_least(2)
                await settled(lead, classes)
                await until(lambda: _slots_of_all(cluster, classes))
                await asyncio.sleep(random.uniform(0, 3) if KILLS > 1 else 0)
                kept += await _is_written(cluster)  # of others, nothing was on disk yet
                back += await killed(cluster, [lead, *classes], everyone=number % 10 == 9)
            rows = await cluster.evidence()
            await until(lambda: _goes_on(cluster, kept))
    finally:
        crew.close()
    back.sort()
    p50, p95 = (back[int(share * (len(back) - 1))] for share in (0.5, 0.95))
    print(f"{KILLS} kills, {len(back)} clients: back after p50 {p50:.1f} s, p95 {p95:.1f} s, max {back[-1]:.1f} s")
    print(f"{len(rows)} rows of evidence, none lost, none doubled; {len({row.session for row in rows})} sessions")
    assert p95 <= 10


async def killed(cluster: Cluster, clients: list[Client], *, everyone: bool) -> list[float]:
    """Kills the worker of a class in session, or every worker. What was committed stays as it is; how long each client took."""
    had = [each.sessions for each in clients]
    acknowledged = await cluster.evidence()
    at = time.monotonic()
    doomed = set(cluster.workers) if everyone else {await cluster.origin()}
    await asyncio.gather(*(cluster.crew.end(url, signal.SIGKILL) for url in doomed))
    await cluster.crew.at_least(1)
    await until(lambda: all(each.back_at > at and each.sessions > n for each, n in zip(clients, had, strict=True)))
    assert_kept(acknowledged, await cluster.evidence())
    return [each.back_at - at for each in clients]


async def record(cluster: Cluster) -> None:
    """The class is live, and a segment of it on disk."""
    async with cluster.site.client(cluster.site.world.here.tokens["lead_teacher"]) as http:
        for act, what in (("open", {}), ("recording", {"on": True})):
            async with http.post(f"/api/live/{cluster.room}/{act}", json=what) as answer:
                assert answer.status == 200
    await until(lambda: _goes_on(cluster, 0))


async def _goes_on(cluster: Cluster, kept: int) -> bool:
    """The class is being recorded, and so many of the recordings before can be watched at least; all were cut off."""
    *before, now = await _recordings(cluster)
    return (
        {(each.state, each.reason) for each in before} <= {("partial", "interrupted")}
        and sum(each.there for each in before) >= kept
        and now.state == "recording"
        and await _is_written(cluster)
    )


async def _recordings(cluster: Cluster) -> list[RecordingView]:
    async with cluster.services.store.read() as session:
        return sorted(await recordings_of(session, cluster.room), key=lambda each: each.started_at)


async def _is_written(cluster: Cluster) -> bool:
    """Whether the newest recording has a segment, and goes on."""
    newest = (await _recordings(cluster))[-1]
    held = read_playlist(cluster.services.recordings.root / newest.id / "lead.m3u8")
    return held is not None and not held.ended


async def test_a_ticket_names_the_worker_and_other_doors_lead_there(cluster: Cluster) -> None:
    here = cluster.site.world.here
    async with cluster.site.client(here.tokens["lead_teacher"]) as http:
        async with http.post(f"/api/live/{cluster.room}/join", json={}) as answer:
            ticket = await answer.json()
        owner = await cluster.origin()
        path = f"/whip/{cluster.room}/lead"
        assert ticket["url"] == owner + path
        headers = {"Content-Type": SDP, "Authorization": f"Bearer {ticket['token']}"}
        peer = Peer()
        offer = peer.offer(sends=True)
        for door in (cluster.site.server.local_url, *(url for url in cluster.workers if url != owner)):
            async with http.post(door + path, data=offer, headers=headers, allow_redirects=False) as answer:
                assert (answer.status, answer.headers["Location"]) == (307, owner + path)
            async with http.post(
                door + path, data=offer, headers={"Content-Type": SDP}, allow_redirects=False
            ) as answer:
                assert answer.status == 401  # where a room is, is told to those who may go there
        async with http.post(ticket["url"], data=offer, headers=headers) as answer:
            assert answer.status == 201
            session = answer.headers["Location"]
            await peer.connect(await answer.text())
        assert session.startswith(f"{owner}/media/")
        async with http.get("/") as page:
            (allowed,) = re.findall("connect-src 'self' (.*?);", page.headers["Content-Security-Policy"])
            assert set(allowed.split()) >= set(cluster.workers)
        await peer.close()


async def test_an_encoders_offer_goes_to_the_worker_that_has_the_class(cluster: Cluster) -> None:
    peer = Peer()
    await peer.connect(await post_offer(cluster.services, cluster.room, cluster.lead, peer.offer(sends=True)))
    assert await cluster.origin() in cluster.workers
    await until(lambda: _told(cluster, "connected"))
    await peer.close()
    with pytest.raises(RelayError):
        await post_offer(cluster.services, cluster.room, cluster.lead, "no offer")


async def _told(cluster: Cluster, kind: str) -> bool:
    return any((row.kind, row.side) == (kind, cluster.lead) for row in await cluster.evidence())


async def test_a_worker_is_emptied_without_losing_its_class(cluster: Cluster) -> None:
    async with cluster.class_in_session(2) as (lead, classes), cluster.moving(lead, *classes):
        await settled(lead, classes)
        first = await cluster.origin()
        began = time.monotonic()
        assert await cluster.crew.end(first, signal.SIGTERM) == 0  # it waits until it is empty
        assert time.monotonic() - began < 30  # of the sixty seconds that it would wait
        await settled(lead, classes, began)
        assert {each.worker for each in (lead, *classes)} == {await cluster.origin()} == set(cluster.workers)
        assert [each.sessions for each in (lead, *classes)] == [2, 2, 2]
    await until(lambda: _all_ended(cluster, 6))
    assert_kept([], await cluster.evidence())


async def test_a_second_signal_ends_a_worker_that_is_not_empty_yet(cluster: Cluster) -> None:
    async with cluster.class_in_session(1) as (lead, classes):  # they do not hear that they should move
        await settled(lead, classes)
        first = await cluster.origin()
        worker = cluster.workers[first]
        worker.send_signal(signal.SIGTERM)
        await until(lambda: any(each.draining for each in cluster.services.watch.workers))
        assert worker.poll() is None
        began = time.monotonic()
        assert await cluster.crew.end(first, signal.SIGTERM) == 0
        assert time.monotonic() - began < 30  # of the sixty seconds that it would wait
    await until(lambda: _all_ended(cluster, 2))
    assert_kept([], await cluster.evidence())


async def test_a_class_leaves_a_worker_that_ends_once_another_one_is_there(cluster: Cluster) -> None:
    async with cluster.class_in_session(1) as (lead, classes), cluster.moving(lead, *classes):
        await settled(lead, classes)
        first = await cluster.origin()
        for url in [url for url in cluster.workers if url != first]:
            await cluster.crew.end(url, signal.SIGTERM)
        ending = asyncio.create_task(cluster.crew.end(first, signal.SIGTERM))
        await until(lambda: any(each.draining for each in cluster.services.watch.workers))
        assert [each.sessions for each in (lead, *classes)] == [1, 1]
        second = await cluster.crew.start()
        assert await asyncio.wait_for(ending, 20) == 0, "long before it ends by itself"
        await until(lambda: {each.worker for each in (lead, *classes)} == {second})


async def _all_ended(cluster: Cluster, sessions: int) -> bool:
    """Every session's end is stored, too."""
    return len({row.session for row in await cluster.evidence() if row.kind == "disconnected"}) == sessions


async def test_an_operator_sees_the_workers_and_empties_one(cluster: Cluster) -> None:
    worker = cluster.services.watch.workers[0]
    async with cluster.site.client(cluster.site.as_("operator"), **PAGE) as http:
        async with http.get("/operator/system") as page:
            text = await page.text()
        assert all(url in text for url in cluster.workers)
        path = "/api/operator/relays/{}/drain"
        button = path.format(quote(worker.id))
        assert button in text
        assert (await http.post(path.format(worker.id))).status == 204
        assert (await http.post(path.format("gone:1:abcd"))).status == 404
        await until(lambda: any(each.draining for each in cluster.services.watch.workers))
        async with http.get("/operator/system") as page:
            assert button not in await page.text()
        async with http.get("/metrics") as figures:
            assert "sanke_relay_workers 2.0" in await figures.text()
    await cluster.crew.end(worker.url, signal.SIGTERM)


async def test_a_class_goes_on_when_redis_forgets_everything(cluster: Cluster) -> None:
    async with cluster.class_in_session(2) as (lead, classes):
        await settled(lead, classes)
        first = await cluster.origin()
        await cluster.redis.flushall()
        await until(lambda: _stands(cluster, first), seconds=SOON)
        await asyncio.sleep(1.5)
        assert [each.sessions for each in (lead, *classes)] == [1, 1, 1]
        here = cluster.site.world.here
        async with cluster.site.client(here.tokens["lead_teacher"]) as http:
            assert (await http.post(f"/api/live/{cluster.room}/open", json={})).status == 200
            assert (
                await http.post(f"/api/live/{cluster.room}/close", json={})
            ).status == 200  # the order finds its worker
        await until(lambda: _all_ended(cluster, 3), seconds=SOON)


async def _stands(cluster: Cluster, url: str) -> bool:
    return await cluster.origin() == url


async def test_a_stopped_worker_that_comes_back_cannot_keep_its_class(cluster: Cluster) -> None:
    async with cluster.class_in_session(1, patience=1.0) as (lead, classes):
        await settled(lead, classes)
        await record(cluster)
        first = await cluster.origin()
        old = {row.session for row in await cluster.evidence()}
        cluster.workers[first].send_signal(signal.SIGSTOP)
        stopped, stopped_at = time.monotonic(), cluster.services.clock.now()
        await until(lambda: all(each.worker != first for each in (lead, *classes)), seconds=12)
        await settled(lead, classes, stopped)
        await until(lambda: _goes_on(cluster, 1))
        cluster.workers[first].send_signal(signal.SIGCONT)
        await asyncio.sleep(2.5)
        assert await cluster.origin() != first
        assert [each.sessions for each in (lead, *classes)] == [2, 2]
        assert await _goes_on(cluster, 1)
    rows = await cluster.evidence()
    assert_kept([], rows)
    late = [row.until - row.at for row in rows if row.session in old and row.until is not None and row.at > stopped_at]
    assert sum(late, timedelta()) < timedelta(seconds=1.5), "a beat's time, until it knows that the class is another's"
    assert max(row.until - row.at for row in rows if row.until is not None) < timedelta(
        seconds=3
    )  # none covers the stop


async def test_a_large_room_cascades_and_survives_its_origin(cluster: Cluster) -> None:
    async with cluster.class_in_session(SHARE + 2) as (lead, classes):
        await settled(lead, classes)
        origin = await cluster.origin()
        (edge,) = set(cluster.workers) - {origin}
        assert lead.worker == origin
        beyond = [each for each in classes if each.worker == edge]
        assert len(beyond) == 2
        assert {each.worker for each in classes} == {origin, edge}
        await until(lambda: _slots_of_all(cluster, classes))
        rows = await cluster.evidence()
        assert {row.side for row in rows} <= {
            lead.side,
            *(each.side for each in classes),
        }  # an edge is nobody's presence
        killed = time.monotonic()
        await cluster.crew.end(origin, signal.SIGKILL)
        await until(lambda: {each.worker for each in (lead, *classes)} == {edge}, seconds=10)
        await settled(lead, classes, killed)
        assert_kept(rows, await cluster.evidence())
