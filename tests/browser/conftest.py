"""A server, a small county and Chromium for the tests of the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chromium import chromium
from playwright.async_api import Browser
from school_day import SchoolDay, prepare, serving, settings_of
from shifted_clock import shift_to

from rooms.store import Store


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A fresh Chromium with fake devices."""
    async with chromium() as running:
        yield running


@pytest.fixture
async def school_day(store: Store, store_url: str, tmp_path: Path) -> AsyncIterator[SchoolDay]:
    """A Tuesday, 9:59:40: the county is imported, the server runs."""
    settings = settings_of(tmp_path / "server", store_url)
    day = await prepare(settings, store, tmp_path, shift_to(9, 59, 40))
    async with serving(day) as running:
        yield running
