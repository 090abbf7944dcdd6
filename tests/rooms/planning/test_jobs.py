"""Whose a run is: workers that die, fall silent, come back or close, and what becomes of their runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from plan_servers import MovedClock, Planning
from sqlalchemy import update
from waiting import until

from config.settings import Settings
from rooms.clock import SystemClock
from rooms.counties import load_county
from rooms.planning.attempt import ATTEMPTS, Attempt
from rooms.planning.jobs import PlanJobs
from rooms.planning.kept import Kept, packed, unpacked
from rooms.planning.lease import Silence, Waiting, beat, claim, take_away, unfinished
from rooms.planning.problem import problem_of
from rooms.planning.queue import open_broker
from rooms.planning.runs import PlanRuns
from rooms.planning.versions import list_versions, load_plan
from rooms.store import Store
from rooms.tables import PlanRun
from scheduler.assemble import delivery_meetings, numbered
from scheduler.greedy import plain_greedy
from scheduler.offers import Offers
from scheduler.problem import Meeting
from scheduler.windows import Grid

NOW = datetime(2026, 9, 1, tzinfo=UTC)
Servers = Callable[[], Planning]


async def left_by_the_dead(store: Store, planning: Planning, county: str, **more: object) -> int:
    """A run that a worker took up and never touched again."""
    run_id = await planning.start(county)
    async with store.write() as session:
        assert await claim(session, run_id, "gone:1", NOW) is not None
        if more:
            await session.execute(update(PlanRun).where(PlanRun.id == run_id).values(more))
    return run_id


async def test_the_county_of_a_dead_worker_is_planned_again(store: Store, demo_county: str, servers: Servers) -> None:
    server = servers()
    run_id = await left_by_the_dead(store, server, demo_county)
    await server.jobs.start()
    await server.jobs.sweep()
    assert (await server.runs.run(run_id)).owner == "gone:1"
    server.clock.ahead += 20
    await server.jobs.sweep()
    view = await server.over(run_id)
    assert (view.state, view.attempt, view.owner) == ("done", 2, server.jobs.owner)
    async with store.read() as session:
        assert len(await list_versions(session, demo_county)) == 1


async def test_two_servers_leave_each_others_runs_alone(store: Store, demo_county: str, servers: Servers) -> None:
    one, two = servers(), servers()
    await one.jobs.start()
    run_id = await one.start(demo_county, 5)
    await one.until(run_id, "running")
    await two.jobs.sweep()
    async with store.read() as session:
        before = (await unfinished(session))[0].beat
    while True:  # until the owner has beaten again
        async with store.read() as session:
            if (await unfinished(session))[0].beat > before:
                break
        await asyncio.sleep(0.05)
    two.clock.ahead += 20
    await two.jobs.sweep()
    view = await one.over(run_id)
    assert (view.state, view.attempt, view.owner) == ("done", 1, one.jobs.owner)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_closing_server_gives_its_run_to_the_next(store: Store, demo_county: str, servers: Servers) -> None:
    one, two = servers(), servers()
    await one.jobs.start()
    run_id = await one.start(demo_county)
    await one.until(run_id, "running")
    await one.jobs.close()
    view = await one.runs.run(run_id)
    assert (view.state, view.owner, view.attempt) == ("queued", None, 0)
    await two.jobs.start()
    assert (await two.over(run_id)).state == "done"


async def test_a_worker_that_lost_its_run_stores_nothing(store: Store, demo_county: str, servers: Servers) -> None:
    server = servers()
    run_id = await server.start(demo_county, 2)
    async with store.write() as session:
        job = await claim(session, run_id, "slow:1", NOW)
        assert job is not None
        assert await claim(session, run_id, "quick:2", NOW) is None
        assert await take_away(session, (await unfinished(session))[0])
        assert await claim(session, run_id, "quick:2", NOW) is not None
        assert await beat(session, job, {}) is None
    assert await Attempt(store, MovedClock(), Settings(plan_workers=1), job).run() == "lost"
    view = await server.runs.run(run_id)
    assert (view.state, view.owner, view.plan_id) == ("running", "quick:2", None)
    async with store.read() as session:
        assert await list_versions(session, demo_county) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_runs_go_through_redis_and_survive_its_loss(store: Store, demo_county: str, redis_url: str) -> None:
    """Asked for before any worker listens; forgotten by the queue once; asked for while the queue is away."""
    settings = Settings(plan_workers=1)
    nobody = PlanJobs(store, MovedClock(), settings, open_broker("redis://127.0.0.1:1/0"))
    clock = MovedClock()
    jobs = PlanJobs(store, clock, settings, open_broker(redis_url))
    server = Planning(jobs, PlanRuns(store, clock, jobs.kick), clock)
    away = Planning(nobody, PlanRuns(store, nobody_clock := MovedClock(), nobody.kick), nobody_clock)
    try:
        first = await server.start(demo_county, 2)
        await jobs.start()
        await server.over(first)
        second = await away.start(demo_county, 2)
        await jobs.sweep()
        await server.over(second)
    finally:
        await jobs.close()
        await nobody.close()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_what_ends_every_worker_fails_in_words(store: Store, demo_county: str, servers: Servers) -> None:
    server = servers()
    run_id = await left_by_the_dead(store, server, demo_county, attempt=ATTEMPTS + 1)
    await server.jobs.sweep()
    server.clock.ahead += 20
    await server.jobs.sweep()
    view = await server.runs.run(run_id)
    assert (view.state, view.problem_code, view.problem_facts) == ("failed", "plan.ended_died", {"attempts": ATTEMPTS})


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("state", "attempt", "code"), [("running", ATTEMPTS, "plan.cut_died"), ("stopping", 1, None)])
async def test_the_best_plan_of_the_dead_is_stored(
    store: Store, demo_county: str, servers: Servers, state: str, attempt: int, code: str | None
) -> None:
    async with store.read() as session:
        problem = problem_of(await load_county(session, demo_county))
    board = plain_greedy(Offers(problem, Grid(problem)))
    delivery = tuple(numbered(delivery_meetings(board), None))
    kept = Kept(board.weighted, 2.0, delivery)
    server = servers()
    run_id = await left_by_the_dead(store, server, demo_county, attempt=attempt, state=state, best=packed(kept))
    await server.jobs.start()
    await server.jobs.sweep()
    server.clock.ahead += 20
    await server.jobs.sweep()
    view = await server.over(run_id)
    assert (view.state, view.problem_code) == ("done", code)
    assert view.plan_id is not None
    async with store.read() as session:
        stored = await load_plan(session, view.plan_id)
    assert stored.served_weighted == board.weighted
    assert {placed(meeting) for meeting in stored.meetings} == {placed(meeting) for meeting in delivery}


def placed(meeting: Meeting) -> tuple[object, ...]:
    return meeting.lead_teacher, meeting.slot, meeting.classes


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_run_that_is_put_twice_into_a_queue_that_is_away_waits(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker, jobs_of = open_broker(""), Settings(data_dir=tmp_path, plan_jobs=0)

    async def away(_message: object) -> None:
        await asyncio.sleep(0.01)
        raise OSError

    monkeypatch.setattr(broker, "kick", away)
    jobs = PlanJobs(store, SystemClock(), jobs_of, broker)
    await asyncio.gather(jobs.kick(1), jobs.kick(1))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_a_watch_that_fails_goes_on(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[None] = []

    async def stumbles(_jobs: PlanJobs) -> None:
        looks.append(None)
        raise RuntimeError

    monkeypatch.setattr(PlanJobs, "sweep", stumbles)
    monkeypatch.setattr("rooms.planning.jobs.SWEEP", 0.01)
    jobs = PlanJobs(store, SystemClock(), Settings(data_dir=tmp_path, plan_jobs=0), open_broker(""))
    await jobs.start()
    await until(lambda: len(looks) >= 2, "a second look")
    await jobs.close()


def test_what_is_kept_comes_back() -> None:
    assert unpacked(None) is None
    kept = Kept(10, 1.5, ())
    assert unpacked(packed(kept)) == kept
    assert unpacked(b"of another version") is None


def test_silence_is_measured_from_the_last_change() -> None:
    silence = Silence(10)

    def seen(beat: int, owner: str | None = "a:1", state: str = "running") -> Waiting:
        return Waiting(1, "x", state, owner, 1, beat)

    assert silence.lost([seen(1)], 100) == []
    assert silence.lost([seen(1)], 109.9) == []
    assert silence.lost([seen(1)], 110) == [seen(1)]
    assert silence.lost([seen(2)], 111) == []
    assert silence.lost([seen(2, owner="b:2")], 121) == []
    assert silence.lost([seen(2, owner="b:2")], 131) == [seen(2, owner="b:2")]
    assert silence.lost([seen(2, None, "queued"), seen(3, None, "stopping")], 999) == []
    assert silence.lost([seen(2, None)], 1000) == []
    assert silence.lost([seen(2, None)], 1010) == [seen(2, None)]
