"""The real server on a free port, in front of either database, with somebody signed in for every role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from api_world import Site, make_world
from media_doors import Doors

from api.server import running
from config.settings import Settings


@pytest.fixture
def settings(store_url: str, tmp_path: Path) -> Settings:
    """Settings of a server of this test alone."""
    return Settings(data_dir=tmp_path / "data", database_url=store_url, port=0, log_level="error")


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[Site]:
    """A running server with two counties."""
    async with running(settings) as server:
        yield Site(server, await make_world(server.services.store, server.services.clock))


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[aiohttp.ClientSession]:
    """A stranger's browser."""
    async with site.client() as session:
        yield session


@pytest.fixture
async def doors(site: Site) -> AsyncIterator[Doors]:
    """The doors of live media, for nobody in particular."""
    async with site.client() as client:
        yield Doors(site, client)
