"""Rate limits while Redis is away."""

from __future__ import annotations

import pytest

from api.access import Caller
from api.limits import RULES, Limits
from api.problems import Problem


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
