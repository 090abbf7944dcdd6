"""Rate limits: whose they are, and while Redis is away."""

from __future__ import annotations

import pytest

from api.access import Caller
from api.limits import RULES, Limits
from api.problems import Problem
from rooms.people.scope import Principal


async def test_two_classrooms_of_one_name_behind_one_address_count_apart() -> None:
    limits = Limits()

    def caller(device: int) -> Caller:
        principal = Principal("device", device, f"device-{device}", "多媒体教室", ())
        return Caller(principal, "", "en", "auto", "192.0.2.1", "0" * 32, "/")

    for _ in range(int(RULES["pin"].split("/")[0])):
        await limits.spend("pin", caller(1))
    await limits.spend("pin", caller(2))
    with pytest.raises(Problem, match="too_many_requests"):
        await limits.spend("pin", caller(1))


async def test_each_process_counts_for_itself_while_redis_is_away() -> None:
    limits = Limits("redis://127.0.0.1:1/0")
    caller = Caller(None, "", "en", "auto", "192.0.2.1", "0" * 32, "/")
    try:
        for _ in range(int(RULES["pin"].split("/")[0])):
            await limits.spend("pin", caller)
        with pytest.raises(Problem, match="too_many_requests"):
            await limits.spend("pin", caller)
    finally:
        await limits.close()
