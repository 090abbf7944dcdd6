"""Relay workers: what each carries, and emptying one before an upgrade."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from api.operators.desk import routes
from api.problems import Problem
from api.routing import Call, Nothing, Shape
from api.workers import nobody_told
from rooms.cluster import WorkerId
from rooms.cluster.draining import drain_worker


class WorkerPath(Shape):
    worker: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,253}:\d{1,10}:[0-9a-f]{4}$")]


@routes.post("/api/operator/relays/{worker}/drain", needs="system.change", summary="Empty a relay worker")
async def drain(call: Call[WorkerPath, Nothing, Nothing]) -> None:
    app = call.app
    if not call.principal.may_for_all("system.change"):
        raise Problem("not_allowed")
    with nobody_told():
        await drain_worker(app.store, app.clock, app.placement, call.actor, WorkerId(call.path.worker))
