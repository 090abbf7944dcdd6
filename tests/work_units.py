"""How the tests are dealt to the workers: what waits for real time goes first, and browsers run one after another.

The groups of xdist itself do nothing under pytest 9.2, and say nothing (pytest-xdist #1386).
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER = {
    "tests/browser/": "browser",  # two browsers at once starve each other
    "tests/media/test_link_browser.py": "browser",
    "tests/media/test_relay_browser.py": "browser",
    "tests/media/test_turn.py": "browser",
    "tests/api/test_relay_workers.py": "relay workers",  # its tests share processes that take long to start
}
"""Where a test lies → the unit that stays on one worker. Every other test is a unit of its own."""
IN_REAL_TIME = ("tests/media/", "tests/rooms/live/", "tests/api/test_live.py", "tests/api/test_encoders.py")
"""What waits more than it computes: good company for the browsers. What computes comes after it."""
SHORT = ("tests/rooms/", "tests/config/")
"""They come last, so that at the end no worker is left alone with a long test."""


def unit(nodeid: str) -> str:
    """What stays together with a test."""
    return next((name for place, name in TOGETHER.items() if nodeid.startswith(place)), nodeid)


def turn(nodeid: str) -> int:
    """Whose turn it is: the long units begin at once, one on each worker."""
    if (name := unit(nodeid)) != nodeid:
        return list(dict.fromkeys(TOGETHER.values())).index(name)
    return len(TOGETHER) + (0 if nodeid.startswith(IN_REAL_TIME) else 2 if nodeid.startswith(SHORT) else 1)


class ByUnits(LoadScopeScheduling):
    """Deals the units in the order of their tests."""

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: turn(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByUnits:
    config.option.loadscopereorder = False
    return ByUnits(config, log)
