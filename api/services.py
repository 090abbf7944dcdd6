"""What a handler may use: every long-lived part of its process, made once and reached through a typed key.

The doors of live media and what machines ask run in every process and use its `Core`; everything else runs in web servers, on `Services`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from api.hall import Hall
    from api.join import JoinTokens
    from api.limits import Limits
    from api.metrics import Metrics
    from api.onlookers import Onlookers
    from api.pages import Pages
    from config.settings import Settings
    from media.cascade import Cascade
    from media.orders import MediaPort
    from media.relay import Relay
    from rooms.audit.checkpoints import Checkpointer
    from rooms.bus import Bus
    from rooms.clock import Clock
    from rooms.cluster import Placement
    from rooms.cluster.member import Member
    from rooms.cluster.watch import Watch
    from rooms.encoders.keeper import EncoderKeeper
    from rooms.live.board import LiveBoard
    from rooms.live.vitals import Vitals
    from rooms.planning.jobs import PlanJobs
    from rooms.planning.runs import PlanRuns
    from rooms.recordings import Recordings
    from rooms.store import Store


@dataclass(frozen=True, slots=True)
class Core:
    """What web servers and relay workers share; made in `api.composing`."""

    settings: Settings
    store: Store
    clock: Clock
    bus: Bus
    relay: Relay
    """Runs where there is a `member`; elsewhere live media is on workers."""
    member: Member | None
    """This process's relay as one of the workers."""
    cascade: Cascade | None
    """Brings a large room's sources from its origin to this worker."""
    placement: Placement
    """Which worker has which room."""
    media: MediaPort
    """Takes orders to the process that has the room."""
    board: LiveBoard
    recordings: Recordings
    limits: Limits
    metrics: Metrics
    joins: JoinTokens
    """Signs and reads the join tokens of WHIP and WHEP."""
    vitals: Vitals
    """Tells how the media of this process's classes does."""


@dataclass(frozen=True, slots=True)
class Services(Core):
    """The parts of a web server; made in `api.app`."""

    watch: Watch
    """The workers as pages and operators see them."""
    encoders: EncoderKeeper
    """Recording rooms' encoders that lead a lesson, and what it takes to reach them."""
    plan_jobs: PlanJobs
    """Works on planning runs, or leaves them to workers elsewhere."""
    plan_runs: PlanRuns
    pages: Pages
    hall: Hall
    """The open pages of the live classes."""
    onlookers: Onlookers
    """Whoever looks at a class from outside."""
    checkpointer: Checkpointer
    """Signs the audit log's checkpoints; holds its key."""


CORE: web.AppKey[Core] = web.AppKey("core", Core)
SERVICES: web.AppKey[Services] = web.AppKey("services", Services)
"""Web servers alone have it."""
