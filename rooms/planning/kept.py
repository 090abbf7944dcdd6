"""The best meetings of a run that goes on, as bytes in its row: what is left when its worker dies."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from pydantic import TypeAdapter

from scheduler.assemble import bare
from scheduler.problem import Meeting, Plan, Problem


@dataclass(frozen=True, slots=True)
class Kept:
    """Delivery meetings that were legal when they were found; `weighted` is their service in halves × priority."""

    weighted: int
    seconds: float
    meetings: tuple[Meeting, ...]


_SHAPE = TypeAdapter(Kept)


def packed(kept: Kept) -> bytes:
    """Compressed JSON: a county of five thousand meetings takes some hundred kilobytes."""
    return zlib.compress(_SHAPE.dump_json(kept))


def unpacked(content: bytes | None) -> Kept | None:
    """What `packed` was given; None where that was another version's, whose meetings had another shape."""
    try:
        return None if content is None else _SHAPE.validate_json(zlib.decompress(content))
    except (zlib.error, ValueError):
        return None


def plan_of_kept(problem: Problem, kept: Kept, seed: int) -> Plan:
    """The kept meetings as a plan. Nothing is proved of the county as it is now, and reasons were not looked for."""
    most = sum(need.halves * need.priority for need in problem.needs)
    return bare(problem, kept.meetings, bound=most, seconds=kept.seconds, seed=seed)
